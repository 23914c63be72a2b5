package main

import (
	"strings"
	"testing"
)

func TestReports(t *testing.T) {
	const pass = `{"Action":"pass","Package":"p","Test":"TestA"}` + "\n"
	skipped := func(reason string) string {
		return `{"Action":"output","Package":"p","Test":"TestS","Output":"=== RUN   TestS\n"}` + "\n" + reason +
			`{"Action":"output","Package":"p","Test":"TestS","Output":"--- SKIP: TestS (0.00s)\n"}` + "\n" +
			`{"Action":"skip","Package":"p","Test":"TestS"}` + "\n"
	}
	because := func(text string) string {
		return `{"Action":"output","Package":"p","Test":"TestS","Output":"    s_test.go:7: ` + text + `\n"}` + "\n"
	}
	for _, c := range []struct {
		name, in string
		ci, want bool
		says     string
	}{
		{"all passed", pass, true, true, "1 passed, 0 failed, 0 skipped"},
		{"nothing was run", ``, true, false, "nothing was run"},
		{"a failure shows its output", `{"Action":"output","Package":"p","Test":"TestB","Output":"x_test.go:1: 7, want 8\n"}` + "\n" +
			`{"Action":"fail","Package":"p","Test":"TestB"}` + "\n", false, false, "7, want 8"},
		{"a package that does not compile", `{"Action":"build-output","ImportPath":"p","Output":"x.go:1: undefined: y\n"}` + "\n" +
			`{"Action":"build-fail","ImportPath":"p"}` + "\n", false, false, "undefined: y"},
		{"words that are no events are shown", pass + "go: downloading x\n", false, true, "downloading"},
		{"a skipped test says why", pass + skipped(because("this kernel has no FUSE")), false, true, "skip p TestS: s_test.go:7: this kernel has no FUSE"},
		{"a skipped test without a reason is a failure", pass + skipped(""), false, false, "FAIL: skipped p TestS"},
		{"without -ci a missing server is a reason", pass + skipped(because("nfs-ganesha is missing")), false, true, "skip"},
		{"with -ci it is none", pass + skipped(because("nfs-ganesha is missing")), true, false, "FAIL: skipped"},
		{"a reason that only speaks of a server is one", pass + skipped(because("nfs-ganesha 4.3 does not do that")), true, true, "skip"},
		{"nor is a missing device", pass + skipped(because("open /dev/fuse: no such file")), true, false, "FAIL: skipped"},
		{"other reasons count with -ci, too", pass + skipped(because("takes an hour")), true, true, "skip"},
		{"a package without tests is no skipped test", pass + `{"Action":"skip","Package":"q"}` + "\n", true, true, "0 skipped"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newReport(c.ci)
			if err := r.read(strings.NewReader(c.in)); err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			if got := r.write(&out); got != c.want || !strings.Contains(out.String(), c.says) {
				t.Errorf("well %v, want %v; it says %q, want %q in it", got, c.want, &out, c.says)
			}
		})
	}
}
