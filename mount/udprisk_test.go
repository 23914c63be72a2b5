package mount

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestHowSoonIPIDsComeRound(t *testing.T) {
	const k = 1 << 10
	for _, tt := range []struct {
		name        string
		r           Route
		size        uint32 // of READ and WRITE
		read, write string // frames and when the IDs come round
		mixes       bool
	}{
		{"default sizes are never cut", Route{MTU: 1500, Speed: 100_000}, k, "1 0s", "1 0s", false},
		{"nor with jumbo frames", Route{MTU: 9000, Speed: 100_000}, 8 * k, "1 0s", "1 0s", false},
		{"nor on loopback", Route{MTU: 65536}, 32 * k, "1 0s", "1 0s", false},
		{"8 KiB on Gigabit: about 5 s, as nfs(5) has it", Route{MTU: 1500, Speed: 1000}, 8 * k, "6 4.5s", "6 4.6s", true},
		{"4 KiB on Gigabit", Route{MTU: 1500, Speed: 1000}, 4 * k, "3 2.3s", "3 2.4s", true},
		{"32 KiB on Gigabit", Route{MTU: 1500, Speed: 1000}, 32 * k, "23 18s", "23 18s", true},
		{"32 KiB on 100 Mbit/s", Route{MTU: 1500, Speed: 100}, 32 * k, "23 2m59.5s", "23 3m0.3s", false},
		{"8 KiB on 100 Mbit/s: longer than fragments are kept", Route{MTU: 1500, Speed: 100}, 8 * k, "6 45.5s", "6 46.3s", false},
		{"2 KiB on 100 Mbit/s: not longer", Route{MTU: 1500, Speed: 100}, 2 * k, "2 12.1s", "2 12.8s", true},
		{"8 KiB on 10 Gbit/s", Route{MTU: 1500, Speed: 10_000}, 8 * k, "6 500ms", "6 500ms", true},
		{"a speed that is unknown is Gigabit", Route{MTU: 1500}, 8 * k, "6 4.5s", "6 4.6s", true},
		{"an MTU that is unknown is Ethernet's", Route{Speed: 1000}, 8 * k, "6 4.5s", "6 4.6s", true},
		{"32 KiB in jumbo frames on Gigabit", Route{MTU: 9000, Speed: 1000}, 32 * k, "4 17.4s", "4 17.5s", true},
		{"IPv6 has 32 bits", Route{MTU: 1500, Speed: 100_000, V6: true}, 8 * k, "6 0s", "6 0s", false},
		{"a tunnel of 1400 bytes over IPv6", Route{MTU: 1280, V6: true}, k, "1 0s", "2 0s", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.r.FragTime = defaultFragTime
			got := AssessUDP(tt.r, Sizes{Rsize: tt.size, Wsize: tt.size})
			show := func(c Cut) string { return fmt.Sprint(c.Frames, " ", c.Wrap.Round(100*time.Millisecond)) }
			if show(got.Read) != tt.read || show(got.Write) != tt.write {
				t.Errorf("READ %s, WRITE %s; want %s, %s", show(got.Read), show(got.Write), tt.read, tt.write)
			}
			if got.Mixes() != tt.mixes || (got.Warning() != "") != tt.mixes {
				t.Errorf("mixes: %v, %q", got.Mixes(), got.Warning())
			}
			if got.Fragments() != (got.Read.Frames > 1 || got.Write.Frames > 1) || strings.Contains(got.String(), "\n") {
				t.Errorf("fragments: %v, %s", got.Fragments(), &got)
			}
		})
	}
}

func TestALowerReassemblyTimeSavesReads(t *testing.T) {
	r := AssessUDP(Route{MTU: 1500, Speed: 1000, FragTime: 2 * time.Second}, Sizes{Rsize: 8 << 10, Wsize: 1 << 10})
	if r.Mixes() {
		t.Errorf("%s", &r)
	}
	r = AssessUDP(Route{MTU: 1500, Speed: 1000, FragTime: 2 * time.Second}, Sizes{Rsize: 8 << 10, Wsize: 8 << 10})
	if !r.Write.Mixes() || r.Read.Mixes() || !strings.Contains(r.String(), "kept for 30s") {
		t.Errorf("what the server puts together does not depend on this host: %s", &r)
	}
}

func TestWhatAWarningSays(t *testing.T) {
	s := Sizes{Rsize: 8 << 10, Wsize: 8 << 10}
	for _, tt := range []struct {
		name   string
		r      Route
		want   string
		unwant string
	}{
		{"Gigabit", Route{Interface: "eth0", MTU: 1500, Speed: 1000, FragTime: defaultFragTime},
			"rsize=8192,wsize=8192 over UDP are cut into 6 and 6 fragments with an MTU of 1500 (eth0), whose 16-bit IDs can come round in 4.5 s at 1000 Mbit/s " +
				"while fragments are kept for 30s: pieces of two messages may be taken for one, and data be corrupted in silence; mount with proto=tcp, which does not cut anything; " +
				"or leave rsize and wsize out: rsize=1024,wsize=1024 fit a frame; or use jumbo frames on all stations of the way (ip link set eth0 mtu 9000) " +
				"and rsize=8192,wsize=8192; gonfs doctor tries whether they get through; or lower the reassembly time on both hosts: sysctl net.ipv4.ipfrag_time=2 " +
				"(udpfrag=allow silences this)", ""},
		{"10 Gbit/s, where ipfrag_time does not help", Route{MTU: 1500, Speed: 10_000, FragTime: defaultFragTime}, "0.5 s at 10000 Mbit/s", "ipfrag_time=2"},
		{"no speed, no name", Route{MTU: 1500, FragTime: defaultFragTime}, "(assumed: the interface does not tell its speed)", "()"},
		{"jumbo frames and more", Route{MTU: 9000, Speed: 1000, FragTime: defaultFragTime}, "", "ip link"},
	} {
		risk := AssessUDP(tt.r, s)
		got := risk.Warning()
		if tt.want == "" && got != "" || !strings.Contains(got, tt.want) || tt.unwant != "" && strings.Contains(got, tt.unwant) {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
	e := &FragmentError{AssessUDP(Route{Interface: "eth0", MTU: 1500, V6: true}, s)}
	if want := "udpfrag=refuse: rsize=8192,wsize=8192 over UDP are cut into 6 and 6 fragments with an MTU of 1500 (eth0): one that is lost costs a whole message; " +
		"IDs of 32 bits do not come round in time to mix two messages up; give at most rsize=1024,wsize=1024, or proto=tcp"; e.Error() != want {
		t.Errorf("got  %s\nwant %s", e, want)
	}
}

func TestTheRouteIsThatOfLoopback(t *testing.T) {
	for addr, v6 := range map[string]bool{"127.0.0.1:9": false, "[::1]:9": true} {
		r := RouteTo(netip.MustParseAddrPort(addr))
		if r.Interface == "" || r.MTU < 1280 || r.FragTime <= 0 || r.V6 != v6 {
			t.Errorf("%s: %+v", addr, r)
		}
	}
	if r := RouteTo(netip.AddrPort{}); r.Interface != "" || r.MTU != 0 || r.FragTime != defaultFragTime {
		t.Errorf("a route to nowhere: %+v", r)
	}
}
