package rpc

import (
	"math"
	"testing"
	"time"
)

func TestPolicyNext(t *testing.T) {
	for _, tt := range []struct {
		name string
		p    Policy
		want []time.Duration // of Next(0), Next(1) …
		last time.Duration   // of Next(a million)
		maj  time.Duration
	}{
		{"TCP grows by timeo", TCPPolicy(0, -1, Hard), []time.Duration{seconds(60), seconds(120), seconds(180)}, seconds(600), seconds(180)},
		{"TCP with a timeo over the ceiling stays there", TCPPolicy(seconds(700), 1, Hard), []time.Duration{seconds(700), seconds(700)}, seconds(700), seconds(700)},
		{"TCP without retransmissions has one timeout", TCPPolicy(seconds(5), 0, Hard), []time.Duration{seconds(5)}, seconds(600), seconds(5)},
		{"UDP doubles", UDPPolicy(0, -1, Hard), []time.Duration{1100e6, 2200e6, 4400e6, 8800e6}, seconds(60), 8800e6},
		{"UDP major timeout is 60 s at most", UDPPolicy(seconds(10), 9, Hard), []time.Duration{seconds(10), seconds(20), seconds(40), seconds(60)}, seconds(60), seconds(60)},
		{"no overflow", Policy{Timeo: math.MaxInt64 / 3, Backoff: Exponential}, []time.Duration{math.MaxInt64 / 3, math.MaxInt64 / 3}, math.MaxInt64 / 3, math.MaxInt64 / 3},
		{"a negative count is none", Policy{Timeo: 5, Retrans: -7}, []time.Duration{5, 10}, 600e9, 5},
		{"the zero policy is TCP's", Policy{}.orDefault(), []time.Duration{seconds(60)}, seconds(600), seconds(180)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for i, want := range tt.want {
				if got := tt.p.Next(i); got != want {
					t.Errorf("Next(%d) = %v, want %v", i, got, want)
				}
			}
			if got := tt.p.Next(math.MaxInt - 1); got != tt.last && tt.p.Timeo > 5 {
				t.Errorf("Next grows to %v, want %v", got, tt.last)
			}
			if got := tt.p.Major(); got != tt.maj {
				t.Errorf("Major() = %v, want %v", got, tt.maj)
			}
		})
	}
}

func TestPolicyDecide(t *testing.T) {
	for _, tt := range []struct {
		name  string
		p     Policy
		since time.Duration
		want  Decision
	}{
		{"a minor timeout sends again", TCPPolicy(0, -1, Hard), seconds(180) - 1, SendAgain},
		{"a minor timeout sends again, soft or not", TCPPolicy(0, -1, Soft), seconds(60), SendAgain},
		{"hard over TCP goes on from a fresh connection", TCPPolicy(0, -1, Hard), seconds(180), Renew},
		{"hard over UDP goes on", UDPPolicy(0, -1, Hard), 8800e6, StartOver},
		{"soft fails", TCPPolicy(0, -1, Soft), seconds(180), Fail},
		{"softerr fails", UDPPolicy(0, -1, SoftErr), seconds(9), Fail},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.p.Decide(tt.since); got != tt.want {
				t.Errorf("Decide(%v) = %d, want %d", tt.since, got, tt.want)
			}
		})
	}
}
