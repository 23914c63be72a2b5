package faults

import "testing"

// TestDataIsEqual: whatever the network does to packets, what was written is
// what is read.
func TestDataIsEqual(t *testing.T) {
	size := 1 << 20
	if soak() {
		size = 16 << 20
	}
	for _, c := range []struct {
		name string
		lose float64 // by the router
		link string  // parameters of test/link; "" does without it
	}{
		{"nothing happens", 0, ""},
		{"1 % of the packets are lost", 0.01, ""},
		{"10 % of the packets are lost", 0.10, ""},
		{"packets arrive twice", 0, "dup=0.1"},
		{"second copies of packets arrive late", 0, "dup=0.05 late=30ms"},
		{"packets overtake each other", 0, "delay=1ms reorder=0.1 hold=3ms"},
		{"packets are corrupted", 0, "corrupt=0.01"},
		{"the server is 100 ms away", 0, "delay=50ms"},
		{"everything at once", 0.005, "delay=2ms reorder=0.05 hold=3ms dup=0.02 corrupt=0.002"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inNetwork(t, func(t *testing.T, n *network) {
				n.serve(t)
				var l *link
				if c.link != "" {
					l = n.link(t, c.link)
				}
				if c.lose > 0 {
					n.lose(t, c.lose)
				}
				transports := []string{"proto=tcp", "proto=udp"}
				if l == nil && (c.lose < 0.1 || soak()) { // the link has addresses of IPv4 only
					transports = append(transports, "proto=tcp6", "proto=udp6")
				}
				for _, options := range transports {
					n.roundTrip(t, options, size)
				}
				if l != nil {
					t.Log(l.set(t, ""))
				}
			})
		})
	}
}
