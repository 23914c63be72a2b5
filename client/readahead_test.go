package client

import (
	"bytes"
	"testing"
	"time"

	"github.com/gonfs/gonfs/nfstest"
)

// What was read ahead is no older, when it is read, than attributes may be.
func TestReadAheadIsNotServedForEver(t *testing.T) {
	for _, tt := range []struct {
		options string
		pause   time.Duration
	}{
		{"rsize=4096,acregmin=1,acregmax=1", 1100 * time.Millisecond},
		{"rsize=4096,noac", 0},
	} {
		t.Run(tt.options, func(t *testing.T) {
			t.Parallel()
			s := nfstest.NewFor(t, nfstest.Options{})
			s.WriteFile("a", pattern(200_000, 1), 0o644)
			fs := dataFS(t, s, tt.options)
			f := create(t, fs, "a", 0)
			p := make([]byte, 4096)
			for off := int64(0); off < 5*4096; off += 4096 {
				_, err := f.ReadAt(t.Context(), p, off)
				must(t, err)
			}
			time.Sleep(20*time.Millisecond + tt.pause) // the window has been read by now
			newer := pattern(200_000, 2)
			s.WriteFile("a", newer, 0o644)
			_, err := f.ReadAt(t.Context(), p, 5*4096)
			must(t, err)
			if !bytes.Equal(p, newer[5*4096:6*4096]) {
				t.Error("it is not what another client has written")
			}
			f.Release()
			want(t, "read-ahead in use", fs.raBudget.used, 0)
		})
	}
}
