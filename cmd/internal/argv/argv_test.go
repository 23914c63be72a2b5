package argv

import (
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

func TestFlagsMayStandAnywhere(t *testing.T) {
	app := &cli.App{Commands: []*cli.Command{{
		Name:  "ls",
		Flags: []cli.Flag{&cli.StringSliceFlag{Name: "o"}, &cli.BoolFlag{Name: "l"}, &cli.IntFlag{Name: "inflight"}},
	}, {
		Name:  "setfacl",
		Flags: []cli.Flag{&cli.StringFlag{Name: "m"}, &cli.BoolFlag{Name: "R"}, &cli.StringFlag{Name: "set"}},
	}}}
	for in, want := range map[string]string{
		"gonfs":                         "gonfs",
		"gonfs ls a:/b -l":              "gonfs ls -l -- a:/b",
		"gonfs ls a:/b -o soft -l c:/d": "gonfs ls -o soft -l -- a:/b c:/d",
		"gonfs ls -o soft a:/b":         "gonfs ls -o soft -- a:/b",
		"gonfs ls --inflight=3 a:/b":    "gonfs ls --inflight=3 -- a:/b",
		"gonfs ls a:/b --inflight 3":    "gonfs ls --inflight 3 -- a:/b",
		"gonfs ls -- -l":                "gonfs ls -- -l",
		"gonfs ls - -l":                 "gonfs ls -l -- -",
		"gonfs ls a:/b -o":              "gonfs ls -o", // which lacks its value: no operand is it
		"gonfs ls a:/b --inflight":      "gonfs ls --inflight",
		"gonfs ls -lo soft a:/b":        "gonfs ls -l -o soft -- a:/b",
		"gonfs ls -losoft a:/b":         "gonfs ls -l -o soft -- a:/b",
		"gonfs ls -inflight 3 a:/b":     "gonfs ls -inflight 3 -- a:/b",
		"gonfs ls -inflight=3 -l a:/b":  "gonfs ls -inflight=3 -l -- a:/b",
		"gonfs ls -o -lo a:/b":          "gonfs ls -o -lo -- a:/b", // a value, whatever it looks like
		"gonfs ls --inflight -lo a:/b":  "gonfs ls --inflight -lo -- a:/b",
		"gonfs ls -lx a:/b":             "gonfs ls -l -x -- a:/b",
		"gonfs ls -xl a:/b":             "gonfs ls -xl -- a:/b", // so that the error names it
		"gonfs ls a:/b --help -l":       "gonfs ls --help",
		"gonfs ls a:/b -lh":             "gonfs ls --help",
		"gonfs ls -o -h a:/b":           "gonfs ls -o -h -- a:/b",
		"gonfs ls -- -h":                "gonfs ls -- -h",
		"gonfs srv:/e /mnt -v":          "gonfs -v -- srv:/e /mnt",
		"gonfs ls":                      "gonfs ls",
		"gonfs setfacl -Rm u:j:r a:/b":  "gonfs setfacl -R -m u:j:r -- a:/b",
		"gonfs setfacl a:/b -mu:j:r":    "gonfs setfacl -m u:j:r -- a:/b",
		"gonfs setfacl --set u::r a:/b": "gonfs setfacl --set u::r -- a:/b",
	} {
		if got := strings.Join(Permute(app, strings.Fields(in)), " "); got != want {
			t.Errorf("%s:\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestHelpersOfMountAreCalledWithOperandsFirst(t *testing.T) {
	for in, want := range map[string]string{
		"mount.gonfs s:/e /m -s -f -n -v -o ro,soft -N /proc/1/fd/3 -t gonfs.x": "mount.gonfs -s -f -n -v -o ro,soft -N /proc/1/fd/3 -t gonfs.x -- s:/e /m",
		"mount.gonfs s:/e /m -fnv -oro":                                         "mount.gonfs -f -n -v -o ro -- s:/e /m",
		"mount.gonfs -o a -o b s:/e /m":                                         "mount.gonfs -o a -o b -- s:/e /m",
		"mount.gonfs --help":                                                    "mount.gonfs --help",
		"mount.gonfs s:/e /m -vh":                                               "mount.gonfs --help",
		"mount.gonfs s:/e /m -o":                                                "mount.gonfs -o",
		"mount.gonfs -f -- -x /m":                                               "mount.gonfs -f -- -x /m",
		"umount.gonfs /m -fl":                                                   "umount.gonfs -f -l -- /m",
	} {
		if got := strings.Join(PermuteFlags(strings.Fields(in), "oNt"), " "); got != want {
			t.Errorf("%s:\n got %s\nwant %s", in, got, want)
		}
	}
	spaced := []string{"mount.gonfs", "[fe80::1%e]:/a b", "/m", "-o", "x=\"a,b\""}
	want := []string{"mount.gonfs", "-o", "x=\"a,b\"", "--", "[fe80::1%e]:/a b", "/m"}
	if got := PermuteFlags(spaced, "oNt"); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
