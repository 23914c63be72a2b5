package main

import (
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gonfs/gonfs/cmd/internal/bench"
)

// The manual names every key of what is printed as JSON, and none besides.
func TestTheManualHasTheKeysOfJSON(t *testing.T) {
	b, err := os.ReadFile("gonfs.1")
	if err != nil {
		t.Fatal(err)
	}
	for section, v := range map[string]any{
		"EXPLAIN": explanation{}, "STATUS": mountStatus{}, "LOCKS": mountLocks{}, "BENCH": bench.Result{}, "DOCTOR": report{},
		"SHOWMOUNT": shownMounts{}, "RPCINFO": shownProgram{},
	} {
		_, text, _ := strings.Cut(string(b), ".Sh JSON OF "+section+"\n")
		text, _, _ = strings.Cut(text, ".Sh ")
		keys, rows := jsonKeys(reflect.TypeOf(v), ""), manualKeys(text)
		for key, array := range keys {
			name := key[strings.LastIndexByte(key, '.')+1:]
			// What the objects of an array have may be said in words.
			told := slices.Contains(rows, key) || array && regexp.MustCompile(`\b`+name+`\b`).MatchString(text)
			if !told {
				t.Errorf("JSON OF %s does not tell of %s", section, key)
			}
		}
		for _, row := range rows {
			if _, ok := keys[row]; !ok {
				t.Errorf("JSON OF %s tells of %s, which is never printed", section, row)
			}
		}
	}
}

// manualKeys returns the keys in the rows of a section: "a.b , c Ta …" are a.b
// and a.c.
func manualKeys(section string) (keys []string) {
	for _, row := range regexp.MustCompile(`(?m)^\.It ([a-z].*?) Ta `).FindAllStringSubmatch(section, -1) {
		names := strings.Split(row[1], " , ")
		prefix := names[0][:strings.LastIndexByte(names[0], '.')+1]
		keys = append(keys, names[0])
		for _, name := range names[1:] {
			keys = append(keys, prefix+name)
		}
	}
	return keys
}

// jsonKeys returns the keys of a value that encoding/json prints, those of
// objects in objects with dots before them, and whether they are in an array.
func jsonKeys(typ reflect.Type, prefix string) map[string]bool {
	keys := map[string]bool{}
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		inner, array := f.Type, false
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
			array = array || inner.Kind() == reflect.Slice
			inner = inner.Elem()
		}
		below := prefix + name + "."
		switch {
		case f.Anonymous:
			below = prefix
		case name == "":
			continue
		case inner.Kind() != reflect.Struct || inner.PkgPath() == "time":
			keys[prefix+name] = false
			continue
		case array:
			keys[prefix+name] = true
		}
		for key, inArray := range jsonKeys(inner, below) {
			keys[key] = array || inArray
		}
	}
	return keys
}

// The formatter has nothing to complain of.
func TestTheManualIsFormatted(t *testing.T) {
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("groff is not installed (Debian: groff-base)")
	}
	out, err := exec.Command(groff, "-mdoc", "-ww", "-Tutf8", "-z", "gonfs.1").CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
}
