package mountopt

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// samples are two values, and one that is none, of what Known.Values has a word
// for. Other words of Values are the values themselves.
var samples = map[string][3]string{
	"0…65535":            {"1", "65535", "65536"},
	"1…16":               {"1", "16", "17"},
	"host":               {"a", "b", "a,b"},
	"IP address":         {"192.0.2.1", "192.0.2.2", "a"},
	"seconds":            {"7", "9", "x"},
	"minutes":            {"1", "2", "x"},
	"tenths of a second": {"20", "30", "x"},
	"number":             {"2", "3", "x"},
	"bytes":              {"4096", "8192", "x"},
}

// valuesOf returns options of k as they are written, good ones and bad ones.
func valuesOf(k *Known) (good, bad []string) {
	values, none := strings.Fields(k.Values), "none-such"
	if s, ok := samples[k.Values]; ok {
		values, none = s[:2], s[2]
	}
	for _, n := range k.Names {
		if k.Values == "" || k.Names[0] == "rdirplus" {
			good = append(good, n)
		}
		for _, v := range values {
			good = append(good, n+"="+v)
		}
		bad = append(bad, n+"="+none)
	}
	return good, bad
}

// defaults is what depends on options that are absent.
func defaults(o *Options) string {
	return fmt.Sprint(o.AttrCache(), o.IdleTime(), o.BlockSize(), o.RetryMinutes(), o.Locks(), o.Background.Value, o.Recovery.Value,
		o.LookupCache.Value, o.Write.Value, o.StrictReplay.Value, o.UDPFrag.Value, o.NoCTO.Value, o.NoRdirplus.Value, o.LocksAuto.Value, o.NoConn.Value)
}

// What Table tells of the values and the defaults of options, and of options
// that are given twice, is what Parse does.
func TestTheTableTellsWhatParseDoes(t *testing.T) {
	parse := func(s string) *Options {
		t.Helper()
		o, err := Parse(s)
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		return o
	}
	for _, k := range Table() {
		if !k.Supported || k.Group == "vers" && k.Values == "" { // of v2, v3 and v4 one is
			continue
		}
		good, bad := valuesOf(&k)
		for _, s := range bad {
			if o, err := Parse(s); err == nil && len(o.Warnings) == 0 { // what has no effect may be anything
				t.Errorf("%s is accepted as %s", s, o)
			}
		}
		for i, a := range good {
			b := good[(i+1)%len(good)]
			first, last := parse(a).String(), parse(b).String()
			both, err := Parse(a + "," + b)
			switch {
			case k.Repeat == Forbidden:
				if err == nil {
					t.Errorf("%s,%s is accepted as %s", a, b, both)
				}
			case err != nil:
				t.Errorf("%s,%s: %v", a, b, err)
			case k.Repeat == Rightmost && both.String() != last:
				t.Errorf("%s,%s is %s, not as the rightmost alone", a, b, both)
			}
			if k.Repeat == Accumulates && i == 1 && (both.String() == first || both.String() == last) {
				t.Errorf("%s,%s is %s: they do not add up", a, b, both)
			}
		}
		if slices.Contains(k.Names, k.Default) {
			if got, want := defaults(parse(k.Default)), defaults(parse("")); got != want {
				t.Errorf("%s has an effect: %s, and not %s", k.Default, got, want)
			}
		} else if k.Default != "" && k.Values != "" {
			for _, d := range strings.Split(k.Default, ", ") {
				value, when, _ := strings.Cut(d, " ")
				when = strings.Trim(when, "()")
				given := strings.Trim(when+","+k.Names[0]+"="+value, ",")
				if got, want := defaults(parse(given)), defaults(parse(when)); got != want {
					t.Errorf("%s has an effect: %s, and not %s", given, got, want)
				}
			}
		}
	}
}
