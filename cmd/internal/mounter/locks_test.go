package mounter

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestAStateDirectoryThatTheMountCoversIsFound(t *testing.T) {
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(top, name) }
	err = errors.Join(os.MkdirAll(at("home/.local/state"), 0o700), os.Mkdir(at("home2"), 0o700), os.Symlink("home/.local", at("link")))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		dir, path string
		want      bool
	}{
		{"home", "home/.local/state/gonfs", true},
		{"home", "home/.local/state", true},
		{"home", "home", true},
		{"home", "link/state/not/there/yet", true},
		{"home", "home2/gonfs", false},
		{"home/.local/state/gonfs", "home/.local/state", false},
		{"home2", "nowhere/gonfs", false},
		{".", "nowhere/gonfs", true},
	} {
		if got := within(at(c.dir), at(c.path)); got != c.want {
			t.Errorf("%s in %s: %v", c.path, c.dir, got)
		}
	}
}
