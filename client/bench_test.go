package client

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gonfs/gonfs/nfstest"
)

// BenchmarkWriters has eight writers write blocks of 1 MiB to one file, copied
// by write-behind and from their own memory (lent.go). The server in this
// process costs much, too: row write-1m of make bench tells what it is worth.
func BenchmarkWriters(b *testing.B) {
	for _, bb := range []struct {
		name   string
		commit time.Duration
	}{{"copied", 3 * time.Hour}, {"lent", 1}} {
		b.Run(bb.name, func(b *testing.B) {
			r := newRig(b, nfstest.Options{})
			fs := r.mount("", Options{})
			ino := write(b, fs, "a", "")
			f, err := fs.Open(b.Context(), alice, ino, 1)
			must(b, err)
			defer f.Release()
			fs.wb.costs.most, fs.wb.costs.slack = time.Hour, time.Hour
			fs.wb.costs.write.Store(1)
			const writers, size = 8, 1 << 20
			b.SetBytes(size)
			b.ReportAllocs()
			var next atomic.Int64
			var wg sync.WaitGroup
			for range writers {
				wg.Go(func() {
					p := make([]byte, size)
					for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
						fs.wb.costs.commit.Store(int64(bb.commit))
						if _, err := f.WriteAt(context.Background(), p, i%64*size); err != nil {
							b.Error(err)
						}
					}
				})
			}
			wg.Wait()
			must(b, f.Fsync(b.Context()))
		})
	}
}
