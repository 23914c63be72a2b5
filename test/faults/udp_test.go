package faults

import (
	"bytes"
	"fmt"
	"os"
	"testing"
	"time"
)

// TestReadOverLossyUDP: retransmission by the measured round trip, and a window
// that narrows and widens again, keep 1 % of loss from costing much.
func TestReadOverLossyUDP(t *testing.T) {
	size := 16 << 20
	if soak() {
		size = 64 << 20
	}
	aloneInNetwork(t, func(t *testing.T, n *network) {
		n.serve(t)
		data := random(size)
		if err := os.WriteFile(n.backing("large"), data, 0o644); err != nil {
			t.Fatal(err)
		}
		read := func() time.Duration {
			fsys := n.dial(t, "proto=udp")
			begin := time.Now()
			got, err := fsys.ReadFile(within(t, 10*time.Minute), "large")
			took := time.Since(begin)
			if err != nil || !bytes.Equal(got, data) {
				t.Fatalf("read: %d bytes, %v; or other ones than were written", len(got), err)
			}
			return took
		}
		read() // the server has met the file
		lossless := read()
		n.lose(t, 0.01)
		n.atMost(t, fmt.Sprintf("%d MiB with 1 %% of loss, %.2f s without", size>>20, lossless.Seconds()), read(), 4*lossless)
	})
}
