package mount

import "testing"

func TestSizes(t *testing.T) {
	const k, m = 1 << 10, 1 << 20
	for _, tt := range []struct {
		name string
		r    SizeRequest
		want Sizes
	}{
		{"TCP: all that the server takes", SizeRequest{Rtmax: 256 * k, Wtmax: 128 * k, Dtpref: 16 * k}, Sizes{256 * k, 128 * k, 16 * k}},
		{"TCP: not what it prefers", SizeRequest{Rtmax: m, Rtpref: 32 * k, Wtmax: m, Wtpref: 32 * k, Dtpref: 8 * k}, Sizes{m, m, 8 * k}},
		{"TCP: 1 MiB at most", SizeRequest{Rtmax: 64 * m, Wtmax: 0xffffffff, Dtpref: 4 * m}, Sizes{m, m, m}},
		{"TCP: in pages", SizeRequest{Rtmax: 100_000, Wtmax: 65_537, Dtpref: 9000}, Sizes{98_304, 65_536, 8 * k}},
		{"TCP: a maximum below a page is a power of two", SizeRequest{Rtmax: 3000, Wtmax: 600, Dtpref: k}, Sizes{2 * k, 512, k}},
		{"TCP: a maximum under 512 is bogus, then what it prefers", SizeRequest{Rtmax: 511, Rtpref: 8 * k, Wtmax: 0, Wtpref: 16 * k, Dtpref: k}, Sizes{8 * k, 16 * k, k}},
		{"TCP: all bogus", SizeRequest{Rtmax: 1, Rtpref: 1, Wtmax: 1, Wtpref: 0, Dtpref: 1}, Sizes{4 * k, 4 * k, 4 * k}},
		{"TCP: FSINFO of zeros", SizeRequest{}, Sizes{4 * k, 4 * k, 4 * k}},
		{"no preference for READDIR is 64 KiB", SizeRequest{Rtmax: m, Wtmax: m}, Sizes{m, m, 64 * k}},
		{"READDIR is not over rsize", SizeRequest{Rtmax: 8 * k, Wtmax: m, Dtpref: 64 * k}, Sizes{8 * k, m, 8 * k}},
		{"READDIR is a power of two", SizeRequest{Rtmax: m, Wtmax: m, Dtpref: 100 * k}, Sizes{m, m, 64 * k}},

		{"given: taken", SizeRequest{Rsize: 32 * k, Wsize: 16 * k, Rtmax: m, Wtmax: m, Dtpref: 4 * k}, Sizes{32 * k, 16 * k, 4 * k}},
		{"given: under 1024 is 4096", SizeRequest{Rsize: 1023, Wsize: 1, Rtmax: m, Wtmax: m, Dtpref: 4 * k}, Sizes{4 * k, 4 * k, 4 * k}},
		{"given: 1024 stays", SizeRequest{Rsize: k, Wsize: k, Rtmax: m, Wtmax: m, Dtpref: 4 * k}, Sizes{k, k, k}},
		{"given: below a page a power of two", SizeRequest{Rsize: 3000, Wsize: 4095, Rtmax: m, Wtmax: m, Dtpref: k}, Sizes{2 * k, 2 * k, k}},
		{"given: above it pages", SizeRequest{Rsize: 5000, Wsize: 12_289, Rtmax: m, Wtmax: m, Dtpref: k}, Sizes{4 * k, 12 * k, k}},
		{"given: 1 MiB at most", SizeRequest{Rsize: 4 * m, Wsize: 0xffffffff, Rtmax: 64 * m, Wtmax: 64 * m, Dtpref: k}, Sizes{m, m, k}},
		{"given: not over the server's maximum", SizeRequest{Rsize: m, Wsize: m, Rtmax: 64 * k, Wtmax: 50_000, Dtpref: k}, Sizes{64 * k, 48 * k, k}},
		{"given: a small maximum is the limit even of 4096", SizeRequest{Rsize: 100, Wsize: m, Rtmax: 512, Wtmax: 1000, Dtpref: k}, Sizes{512, 512, 512}},
		{"given: a bogus maximum is none", SizeRequest{Rsize: 64 * k, Wsize: 64 * k, Rtmax: 511, Wtmax: 0, Dtpref: k}, Sizes{64 * k, 64 * k, k}},

		{"UDP: one frame of 1500", SizeRequest{Rtmax: m, Wtmax: m, Dtpref: 16 * k, UDP: true, MTU: 1500}, Sizes{k, k, k}},
		{"UDP: one frame of 1500 over IPv6", SizeRequest{Rtmax: m, Wtmax: m, UDP: true, V6: true, MTU: 1500}, Sizes{k, k, k}},
		{"UDP: one frame of 9000", SizeRequest{Rtmax: m, Wtmax: m, UDP: true, MTU: 9000}, Sizes{8 * k, 8 * k, 8 * k}},
		{"UDP: one frame of 9000 over IPv6", SizeRequest{Rtmax: m, Wtmax: m, UDP: true, V6: true, MTU: 9000}, Sizes{8 * k, 8 * k, 8 * k}},
		{"UDP: loopback", SizeRequest{Rtmax: m, Wtmax: m, UDP: true, MTU: 65536}, Sizes{32 * k, 32 * k, 32 * k}},
		{"UDP: an unknown MTU is 1500", SizeRequest{Rtmax: m, Wtmax: m, UDP: true}, Sizes{k, k, k}},
		{"UDP: a tiny MTU does not make it smaller than 1024", SizeRequest{Rtmax: m, Wtmax: m, UDP: true, MTU: 576}, Sizes{k, k, k}},
		{"UDP: a READ just fits where a WRITE does not", SizeRequest{Rtmax: m, Wtmax: m, UDP: true, MTU: 2048 + 28 + readReply}, Sizes{2 * k, k, 2 * k}},
		{"UDP: one byte less and it does not", SizeRequest{Rtmax: m, Wtmax: m, UDP: true, MTU: 2048 + 28 + readReply - 1}, Sizes{k, k, k}},
		{"UDP: given sizes may fragment", SizeRequest{Rsize: 8 * k, Wsize: 16 * k, Rtmax: m, Wtmax: m, UDP: true, MTU: 1500}, Sizes{8 * k, 16 * k, 8 * k}},
		{"UDP: given sizes are powers of two", SizeRequest{Rsize: 12 * k, Wsize: 20_000, Rtmax: m, Wtmax: m, UDP: true, MTU: 1500}, Sizes{8 * k, 16 * k, 8 * k}},
		{"UDP: 32 KiB at most, whatever is given", SizeRequest{Rsize: m, Wsize: m, Rtmax: m, Wtmax: m, UDP: true, MTU: 65536}, Sizes{32 * k, 32 * k, 32 * k}},
		{"UDP: not over the server's maximum", SizeRequest{Rtmax: 5000, Wtmax: 8192, UDP: true, MTU: 65536}, Sizes{4 * k, 8 * k, 4 * k}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Negotiate(tt.r); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func FuzzNegotiate(f *testing.F) {
	f.Add(uint32(0), uint32(0), uint32(0), uint32(0), uint32(0), false, 0)
	f.Add(uint32(1<<20), uint32(1), uint32(511), uint32(512), uint32(0xffffffff), true, 9000)
	f.Fuzz(func(t *testing.T, given, most, pref, dt, other uint32, udp bool, mtu int) {
		s := Negotiate(SizeRequest{Rsize: given, Wsize: other, Rtmax: most, Rtpref: pref, Wtmax: other, Wtpref: dt, Dtpref: dt, UDP: udp, MTU: mtu})
		for _, n := range []uint32{s.Rsize, s.Wsize, s.Dtsize} {
			if n < 512 || n > 1<<20 || udp && n > 32<<10 || n > 4096 && n%4096 != 0 || n < 4096 && n&(n-1) != 0 {
				t.Fatalf("%+v", s)
			}
		}
		if most >= 512 && s.Rsize > most || s.Dtsize > s.Rsize {
			t.Fatalf("%+v of a maximum of %d", s, most)
		}
	})
}
