package transport

import (
	"testing"
	"time"
)

func TestCrowd(t *testing.T) {
	looks := func(c *crowd, n int, company bool, took time.Duration) (k int) {
		for range n {
			if c.expected() {
				k++
				c.met(company, took)
			}
		}
		return k
	}
	for _, tt := range []struct {
		name    string
		before  func(c *crowd)
		company bool
		took    time.Duration
		want    int // looks in 1000 flushes
	}{
		{"a lone sender looks now and then", func(c *crowd) {}, false, 0, 1000 / crowdLook},
		{"who meets others always looks", func(c *crowd) { looks(c, crowdLook, true, 0) }, true, 0, 1000},
		{"who is left alone stops soon", func(c *crowd) { looks(c, crowdLook, true, 0) }, false, 0, crowdCredit + (1000-crowdCredit)/crowdLook},
		{"who is kept waiting hardly ever looks", func(c *crowd) {}, true, 2 * crowdLate, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var c crowd
			tt.before(&c)
			if got := looks(&c, 1000, tt.company, tt.took); got != tt.want {
				t.Errorf("%d looks in 1000 flushes, want %d", got, tt.want)
			}
		})
	}
}
