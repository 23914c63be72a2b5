package mount

import (
	"fmt"
	"strings"
	"time"
)

// What Ethernet puts around a packet, in bytes: header, checksum, preamble and
// the gap before the next one.
const frameOverhead = 14 + 4 + 8 + 12

const (
	idSpace      = 1 << 16         // IP IDs (RFC 791); IPv6's have 32 bits
	jumboMTU     = 9000            // what network cards call jumbo frames
	assumedSpeed = 1000            // Mbit/s of a link that does not tell
	shortestWait = 2 * time.Second // of ipfrag_time, as nfs(5) recommends it
)

// Cut is what becomes of one kind of message on its way: of READ replies or of
// WRITE calls.
type Cut struct {
	Bytes  int           // of the message
	Frames int           // that it takes; more than 1: it is cut into fragments
	Wrap   time.Duration // how soon the link can use up all IP IDs; 0: not at all, or nothing is cut
	Wait   time.Duration // how long its receiver keeps fragments
}

// Mixes reports whether fragments of two messages may be taken for one: IDs
// come round while a receiver still waits for a fragment that was lost.
func (c Cut) Mixes() bool { return c.Wrap > 0 && c.Wrap < c.Wait }

// UDPRisk is what fragments can do to a mount over UDP (nfs(5), "Using NFS over
// UDP on high-speed links").
type UDPRisk struct {
	Route Route
	Sizes Sizes
	Read  Cut // READ replies, put together here
	Write Cut // WRITE calls, put together by the server, whose ipfrag_time we do not know: the default is taken
}

// AssessUDP works out what a mount of these sizes means over the route. At full
// speed of the link every message is of the largest kind and takes one ID.
func AssessUDP(r Route, s Sizes) UDPRisk {
	return UDPRisk{Route: r, Sizes: s,
		Read:  r.cut(int(s.Rsize)+readReply, r.FragTime),
		Write: r.cut(int(s.Wsize)+writeCall+maxMachine, defaultFragTime),
	}
}

// cut works out one of Read and Write.
func (r *Route) cut(message int, wait time.Duration) Cut {
	header, mtu := v4Header, r.MTU
	if r.V6 {
		header = v6Header
	}
	if mtu <= 0 {
		mtu = ethernetMTU
	}
	c := Cut{Bytes: message, Frames: 1, Wait: wait}
	packet := udpHeader + message
	if header+packet <= mtu {
		return c
	}
	if r.V6 {
		header += 8 // the fragment header
	}
	piece := max(8, (mtu-header)&^7) // fragments begin at multiples of 8 bytes
	c.Frames = (packet + piece - 1) / piece
	if !r.V6 {
		wire := packet + c.Frames*(header+frameOverhead)
		c.Wrap = time.Duration(float64(idSpace*wire*8) / (float64(r.speed()) * 1e6) * float64(time.Second))
	}
	return c
}

// speed is that of the link, or what it is taken for.
func (r *Route) speed() int {
	if r.Speed > 0 {
		return r.Speed
	}
	return assumedSpeed
}

// Fragments reports whether any message is cut.
func (r *UDPRisk) Fragments() bool { return r.Read.Frames > 1 || r.Write.Frames > 1 }

// Mixes reports whether fragments of two messages may be taken for one.
func (r *UDPRisk) Mixes() bool { return r.Read.Mixes() || r.Write.Mixes() }

// String says in one line what happens; it may span 200 columns.
func (r *UDPRisk) String() string {
	at := fmt.Sprintf("an MTU of %d", r.Route.MTU)
	if r.Route.Interface != "" {
		at += " (" + r.Route.Interface + ")"
	}
	sizes := fmt.Sprintf("rsize=%d,wsize=%d over UDP", r.Sizes.Rsize, r.Sizes.Wsize)
	if !r.Fragments() {
		return fmt.Sprintf("%s fit a frame each with %s: nothing is cut into fragments", sizes, at)
	}
	s := fmt.Sprintf("%s are cut into %d and %d fragments with %s", sizes, r.Read.Frames, r.Write.Frames, at)
	if r.Route.V6 {
		return s + ": one that is lost costs a whole message; IDs of 32 bits do not come round in time to mix two messages up"
	}
	speed := fmt.Sprintf("at %d Mbit/s", r.Route.speed())
	if r.Route.Speed <= 0 {
		speed += " (assumed: the interface does not tell its speed)"
	}
	worst := r.Read
	if r.Write.Wrap > 0 && (worst.Wrap == 0 || r.Write.Mixes() && (!worst.Mixes() || r.Write.Wrap < worst.Wrap)) {
		worst = r.Write
	}
	s += fmt.Sprintf(", whose 16-bit IDs can come round in %.1f s %s while fragments are kept for %v", worst.Wrap.Seconds(), speed, worst.Wait)
	if r.Mixes() {
		return s + ": pieces of two messages may be taken for one, and data be corrupted in silence"
	}
	return s + ": too slow to mix two messages up"
}

// Mitigations are what helps where fragments may mix, the best first, each a
// sentence without its full stop.
func (r *UDPRisk) Mitigations() []string {
	l := []string{"mount with proto=tcp, which does not cut anything"}
	if s := unfragmentedAt(r.Route.MTU, r.Route.V6); s.Rsize < r.Sizes.Rsize || s.Wsize < r.Sizes.Wsize {
		l = append(l, "leave rsize and wsize out: "+sizesText(s)+" fit a frame")
	}
	if r.Route.MTU < jumboMTU {
		l = append(l, fmt.Sprintf("use jumbo frames on all stations of the way (ip link set %s mtu %d) and %s; gonfs doctor tries whether they get through",
			orAny(r.Route.Interface), jumboMTU, sizesText(unfragmentedAt(jumboMTU, r.Route.V6))))
	}
	if soonest := r.soonest(); soonest > shortestWait {
		l = append(l, "lower the reassembly time on both hosts: sysctl net.ipv4.ipfrag_time=2")
	}
	return l
}

// soonest is when the IDs come round first; 0: they do not.
func (r *UDPRisk) soonest() time.Duration {
	if r.Read.Wrap == 0 || r.Write.Wrap != 0 && r.Write.Wrap < r.Read.Wrap {
		return r.Write.Wrap
	}
	return r.Read.Wrap
}

// Warning is what the mount says; "" if there is nothing to fear.
func (r *UDPRisk) Warning() string {
	if !r.Mixes() {
		return ""
	}
	return r.String() + "; " + strings.Join(r.Mitigations(), "; or ") + " (udpfrag=allow silences this)"
}

// unfragmentedAt are the sizes of which nothing is cut with an MTU.
func unfragmentedAt(mtu int, v6 bool) Sizes {
	return Negotiate(SizeRequest{Rtmax: maxIO, Wtmax: maxIO, UDP: true, V6: v6, MTU: mtu})
}

func sizesText(s Sizes) string { return fmt.Sprintf("rsize=%d,wsize=%d", s.Rsize, s.Wsize) }

// orAny is a name for an interface that has none.
func orAny(name string) string {
	if name == "" {
		return "DEV"
	}
	return name
}

// FragmentError is why a mount with udpfrag=refuse was not made.
type FragmentError struct{ Risk UDPRisk }

// Error implements error.
func (e *FragmentError) Error() string {
	r := &e.Risk
	return fmt.Sprintf("udpfrag=refuse: %s; give at most %s, or proto=tcp", r, sizesText(unfragmentedAt(r.Route.MTU, r.Route.V6)))
}
