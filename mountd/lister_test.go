package mountd

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestListsOfEitherVersion(t *testing.T) {
	ctx := t.Context()
	c := dial(t, Serve(&house{handle: "h"}))
	want, err := c.Export(ctx)
	if err != nil {
		t.Fatal(err)
	}
	mounts, err := c.Dump(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []uint32{Version, Version1} {
		l := NewLister(c.c, version)
		if err := l.Null(ctx); err != nil {
			t.Errorf("version %d: NULL: %v", version, err)
		}
		got, err := l.Export(ctx)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("version %d: EXPORT: %v %s", version, err, diff)
		}
		m, err := l.Dump(ctx)
		if diff := cmp.Diff(mounts, m); diff != "" || err != nil {
			t.Errorf("version %d: DUMP: %v %s", version, err, diff)
		}
	}
	if err := NewLister(c.c, 2).Null(ctx); err == nil {
		t.Error("version 2, which is not there, answers")
	}
}
