package main

import (
	iofs "io/fs"
	"strings"
	"testing"
	"time"
)

func TestModesLookLikeThoseOfLs(t *testing.T) {
	for m, want := range map[iofs.FileMode]string{
		0o644:                                         "-rw-r--r--",
		iofs.ModeDir | 0o755:                          "drwxr-xr-x",
		iofs.ModeDir | iofs.ModeSticky | 0o777:        "drwxrwxrwt",
		iofs.ModeSticky | 0o666:                       "-rw-rw-rwT",
		iofs.ModeSetuid | 0o755:                       "-rwsr-xr-x",
		iofs.ModeSetgid | 0o640:                       "-rw-r-S---",
		iofs.ModeSymlink | 0o777:                      "lrwxrwxrwx",
		iofs.ModeNamedPipe | 0o600:                    "prw-------",
		iofs.ModeSocket | 0o600:                       "srw-------",
		iofs.ModeDevice | 0o600:                       "brw-------",
		iofs.ModeDevice | iofs.ModeCharDevice | 0o600: "crw-------",
	} {
		if got := modeString(m); got != want {
			t.Errorf("%v: %s, want %s", m, got, want)
		}
	}
}

func TestSizesAndSharesAreThoseOfDf(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 1023: "1023", 1024: "1.0K", 1536: "1.5K", 10 << 10: "10K", 999 << 20: "999M", 1023 << 20: "1.0G", 1 << 50: "1.0P", 1<<64 - 1: "16E"} {
		if got := human(n); got != want {
			t.Errorf("human(%d) = %s, want %s", n, got, want)
		}
	}
	for _, c := range []struct {
		used, avail uint64
		want        string
	}{{0, 0, "-"}, {0, 10, "0%"}, {1, 999, "1%"}, {10, 0, "100%"}, {1 << 63, 1 << 63, "50%"}} {
		if got := percent(c.used, c.avail); got != c.want {
			t.Errorf("percent(%d, %d) = %s, want %s", c.used, c.avail, got, c.want)
		}
	}
}

func TestTimesOfThisHalfYearShowTheHour(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		t    time.Time
		want string
	}{
		{now.Add(-time.Hour), "Nov 24 11:00"},
		{now.AddDate(-1, 0, 0), "Nov 24  2025"},
		{now.AddDate(0, 0, 1), "Nov 25  2026"},
	} {
		if got := listTime(c.t, now); got != c.want {
			t.Errorf("%v: %q, want %q", c.t, got, c.want)
		}
	}
}

func TestNamesOfServersAreToldFromLocalOnes(t *testing.T) {
	for arg, want := range map[string]bool{
		"server:/a": true, "[fe80::1%eth0]:/a": true, "nfs://server/a": true, "10.0.0.1:/": true,
		"a": false, "./a:/b": false, "/a:/b": false, "a:b": false, ":/a": false, "": false, "-": false,
	} {
		if got := looksRemote(arg); got != want {
			t.Errorf("looksRemote(%q) = %v", arg, got)
		}
	}
}

func TestAnExportInPlaceOfACommandIsMounted(t *testing.T) {
	for in, want := range map[string]string{
		"gonfs srv:/e /mnt -o ro": "gonfs mount srv:/e /mnt -o ro",
		"gonfs ls srv:/e":         "gonfs ls srv:/e",
		"gonfs":                   "gonfs",
	} {
		if got := strings.Join(withMount(strings.Fields(in)), " "); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestControlBytesOfNamesNeverReachTheTerminal(t *testing.T) {
	if got := printable("a\x1b[31mb\nc\u009bd\xffé"); strings.ContainsAny(got, "\x1b\n\u009b") {
		t.Errorf("%q", got)
	}
}
