package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"github.com/urfave/cli/v2"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"github.com/gonfs/gonfs/cmd/internal/trees"
)

// bar shows how far a copy is, on a terminal; elsewhere it shows nothing.
type bar struct {
	progress *mpb.Progress
	bar      *mpb.Bar
	stop     context.CancelFunc
	counting sync.WaitGroup
	printing sync.Mutex // held while a line is printed
}

// countCrew is how many helpers add up what there is to copy.
const countCrew = 4

// newBar returns the bar of a copy of p, of which files counts the files that
// are done. How much there is to do is added up while it is done.
func newBar(c *cli.Context, p *spot, files *atomic.Int64) *bar {
	if c.Bool("quiet") || !term.IsTerminal(int(os.Stderr.Fd())) {
		return &bar{}
	}
	b := &bar{progress: mpb.New(mpb.WithOutput(os.Stderr), mpb.WithWidth(40))}
	b.bar = b.progress.AddBar(0,
		mpb.PrependDecorators(
			decor.Name(printable(p.base)+" "),
			decor.CountersKibiByte("% .1f / % .1f"),
			decor.Any(func(decor.Statistics) string { return fmt.Sprintf(" %d files", files.Load()) }),
		),
		mpb.AppendDecorators(
			decor.AverageSpeed(decor.SizeB1024(0), "% .1f"),
			decor.Name(" "),
			decor.AverageETA(decor.ET_STYLE_GO),
		),
	)
	ctx, stop := context.WithCancel(c.Context)
	b.stop = stop
	b.counting.Go(func() { b.count(ctx, p) }) // ends with its walk, or by end
	return b
}

// count adds up what there is to copy.
func (b *bar) count(ctx context.Context, p *spot) {
	var total int64 // Tell is called one at a time
	u := &trees.Usage{
		Side: p, Crew: trees.NewCrew(countCrew), Apparent: true,
		Problems: &trees.Problems{Tell: func(error) {}}, // the copy tells them
		Tell: func(e *trees.Entry, bytes int64) {
			if e.Info.Mode().IsRegular() {
				total += bytes
				b.bar.SetTotal(total, false)
			}
		},
	}
	_, _ = u.Run(ctx, p.name) // the copy tells its error
}

// add says that n more bytes were copied. It may be called from any goroutine.
func (b *bar) add(n int64) {
	if b.bar != nil {
		b.bar.IncrInt64(n)
	}
}

// print prints a line above the bar.
func (b *bar) print(w io.Writer, line string) {
	b.printing.Lock()
	defer b.printing.Unlock()
	if b.progress != nil {
		w = b.progress
	}
	fmt.Fprintln(w, printable(line))
}

// end leaves the bar as it is and goes to the next line.
func (b *bar) end() {
	if b.bar != nil {
		b.stop()
		b.counting.Wait()
		b.bar.Abort(false)
		b.progress.Wait()
	}
}
