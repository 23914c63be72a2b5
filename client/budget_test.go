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

func TestBudgetGrantsMoreThanItsLimitWhenNothingIsUsed(t *testing.T) {
	b := budget{limit: 10}
	if err := b.acquire(t.Context(), 100, func() {}); err != nil {
		t.Fatal(err)
	}
}
