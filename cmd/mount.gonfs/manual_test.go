package main

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/gonfs/gonfs/mountopt"
)

func manual(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("mount.gonfs.8")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The manual names all options that are in effect and none that is refused,
// but where it says that these are.
func TestTheManualHasTheOptions(t *testing.T) {
	text := manual(t)
	_, options, _ := strings.Cut(text, ".Sh OPTIONS\n")
	options, _, _ = strings.Cut(options, ".Sh ")
	var items []string
	for line := range strings.Lines(options) {
		if strings.HasPrefix(line, ".It ") || strings.HasPrefix(line, ".Pq ") {
			items = append(items, regexp.MustCompile(`[\w.]+`).FindAllString(line, -1)...)
		}
	}
	for _, k := range mountopt.Table() {
		for _, n := range k.Names {
			if in := slices.Contains(items, n); in != k.Supported {
				t.Errorf("option %s: in the manual: %v, in effect: %v", n, in, k.Supported)
			}
		}
	}
	for _, n := range []string{"ro", "nosuid", "allow_other", "remount", "_netdev", "uhelper"} {
		if !regexp.MustCompile(`\b` + n + `\b`).MatchString(options) {
			t.Errorf("option %s is not in the manual", n)
		}
	}
}

// What docs/transports.md says of options is said of ones that are in effect.
func TestTheGuideNamesOptionsThatThereAre(t *testing.T) {
	b, err := os.ReadFile("../../docs/transports.md")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile("`([a-z0-9]+)=[^`]*`").FindAllStringSubmatch(string(b), -1)
	if len(names) < 30 {
		t.Errorf("only %d options are found in it", len(names))
	}
	for _, n := range names {
		if !slices.ContainsFunc(mountopt.Table(), func(k mountopt.Known) bool { return k.Supported && slices.Contains(k.Names, n[1]) }) {
			t.Errorf("%s is no option that is in effect", n[0])
		}
	}
}

// Every flag is in the manual and in the help text.
func TestTheManualHasTheFlags(t *testing.T) {
	text := manual(t)
	for _, help := range []string{mountHelp, umountHelp} {
		for _, f := range regexp.MustCompile(`(?m)^   -(-?\w+)`).FindAllStringSubmatch(help, -1) {
			if !regexp.MustCompile(`\.It Fl [^\n]*\b` + strings.TrimPrefix(f[1], "-") + `\b`).MatchString(text) {
				t.Errorf("flag -%s of the help text is not in the manual", f[1])
			}
		}
	}
	for name, flags := range map[string][]string{
		mountHelp: names(mountApp("mount.gonfs").Flags), umountHelp: names(umountApp("umount.gonfs").Flags),
	} {
		for _, f := range flags {
			if !regexp.MustCompile(`(?m)^   [^\n]{0,8}-` + f + `\b`).MatchString(name) {
				t.Errorf("flag %s is not in the help text", f)
			}
		}
	}
}

// The formatter has nothing to complain of.
func TestTheManualIsFormatted(t *testing.T) {
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("groff is not installed (Debian: groff-base)")
	}
	out, err := exec.Command(groff, "-mdoc", "-ww", "-Tutf8", "-z", "mount.gonfs.8").CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
}

// names returns the first names of flags.
func names(flags []cli.Flag) (n []string) {
	for _, f := range flags {
		n = append(n, strings.Repeat("-", min(1, len(f.Names()[0])-1))+f.Names()[0])
	}
	return n
}
