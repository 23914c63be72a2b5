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

// bar shows how far copies are, on a terminal; elsewhere it shows nothing. What
// else is printed there goes above it: it would be overwritten.
type bar struct {
	shown  bool // standard error is a terminal, where a bar is wanted
	lists  bool // and standard output is one as well
	out    io.Writer
	errOut io.Writer // of the command

	printing sync.Mutex    // guards progress; held while a line is printed
	progress *mpb.Progress // nil between copies
	bar      *mpb.Bar      // of the copy that is under way
	stop     context.CancelFunc
	counting sync.WaitGroup
}

// countCrew is how many helpers add up what there is to copy.
const countCrew = 4

// newBar returns the bar of a command.
func newBar(c *cli.Context) *bar {
	return &bar{
		shown: !c.Bool("quiet") && term.IsTerminal(int(os.Stderr.Fd())), lists: term.IsTerminal(int(os.Stdout.Fd())),
		out: c.App.Writer, errOut: c.App.ErrWriter,
	}
}

// begin shows the bar of a copy of p, of which files counts the files that are
// done. How much there is to do is added up while it is done.
func (b *bar) begin(ctx context.Context, p *spot, files *atomic.Int64) {
	if !b.shown {
		return
	}
	b.progress = mpb.New(mpb.WithOutput(b.errOut), mpb.WithWidth(40), mpb.WithAutoRefresh())
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
	ctx, b.stop = context.WithCancel(ctx)
	b.counting.Go(func() { b.count(ctx, p) }) // ends with its walk, or by end
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

// name prints a name to standard output.
func (b *bar) name(name string) { b.print(b.out, name, b.lists) }

// problem prints an error.
func (b *bar) problem(err error) { b.print(b.errOut, "gonfs cp: "+err.Error(), true) }

// print prints a line to w, above the bar if w is where that is.
func (b *bar) print(w io.Writer, line string, terminal bool) {
	b.printing.Lock()
	defer b.printing.Unlock()
	if b.progress != nil && terminal {
		w = b.progress
	}
	fmt.Fprintln(w, printable(line))
}

// end leaves the bar as it is and goes to the next line.
func (b *bar) end() {
	if b.progress == nil {
		return
	}
	b.stop()
	b.counting.Wait()
	b.bar.Abort(false)
	b.progress.Wait()
	b.printing.Lock()
	defer b.printing.Unlock()
	b.progress, b.bar = nil, nil
}
