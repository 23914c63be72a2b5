package client

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

func TestBudgetServesWaitersInOrderAndForgetsThoseWhoGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := budget{limit: 10}
		pressed := 0
		press := func() { pressed++ }
		if err := b.acquire(t.Context(), 8, press); err != nil || pressed != 0 {
			t.Fatalf("room was there: %v, pressed %d", err, pressed)
		}
		ctx, cancel := context.WithCancel(t.Context())
		quit := make(chan error, 1)
		order := make(chan int, 2)
		go func() { quit <- b.acquire(ctx, 5, press) }()
		synctest.Wait()
		for i := range 2 {
			go func() {
				if b.acquire(t.Context(), 3, press) == nil {
					order <- i
				}
			}()
			synctest.Wait()
		}
		if len(order) != 0 || pressed != 3 {
			t.Fatalf("%d overtook the first in line; pressed %d times", len(order), pressed)
		}
		cancel()
		if err := <-quit; !errors.Is(err, context.Canceled) {
			t.Fatalf("the one who gave up got %v", err)
		}
		b.release(3)
		if i := <-order; i != 0 || len(order) != 0 {
			t.Fatalf("served %d first", i)
		}
		b.release(5)
		if i := <-order; i != 1 {
			t.Fatalf("served %d second", i)
		}
		if b.used != 6 {
			t.Fatalf("%d in use, want 6", b.used)
		}
		if !b.tryAcquire(4) || b.tryAcquire(1) {
			t.Fatal("tryAcquire must take what is left, and no more")
		}
	})
}

// late is a context of somebody who gives up when it is his turn.
type late struct {
	context.Context
	turn func()
}

func (l late) GiveUp() bool {
	l.turn()
	return true
}

func TestWhoGivesUpWhenItIsHisTurnKeepsNothing(t *testing.T) {
	b := budget{limit: 10}
	must(t, b.acquire(t.Context(), 8, nil))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := b.acquire(late{ctx, func() { b.release(8) }}, 5, func() {})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	want(t, "in use", b.used, 0)
}

func TestWhoGivesUpLetsThoseBehindPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := budget{limit: 10}
		must(t, b.acquire(t.Context(), 8, nil))
		ctx, cancel := context.WithCancel(t.Context())
		first, second := make(chan error, 1), make(chan error, 1)
		go func() { first <- b.acquire(ctx, 5, func() {}) }() // ends with ctx
		synctest.Wait()
		go func() { second <- b.acquire(t.Context(), 2, func() {}) }() // ends when it is his turn
		synctest.Wait()
		cancel()
		if err := <-first; !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		must(t, <-second)
		want(t, "in use", b.used, 10)
	})
}

func TestBudgetGrantsMoreThanItsLimitWhenNothingIsUsed(t *testing.T) {
	b := budget{limit: 10}
	if err := b.acquire(t.Context(), 100, func() {}); err != nil {
		t.Fatal(err)
	}
}
