package main

import (
	"os"

	"github.com/urfave/cli/v2"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// bar shows how far a copy is, on a terminal; elsewhere it shows nothing.
type bar struct {
	progress *mpb.Progress
	bar      *mpb.Bar
}

func newBar(c *cli.Context, name string, size int64) *bar {
	if c.Bool("quiet") || !term.IsTerminal(int(os.Stderr.Fd())) {
		return &bar{}
	}
	p := mpb.New(mpb.WithOutput(os.Stderr), mpb.WithWidth(40))
	b := p.AddBar(size,
		mpb.PrependDecorators(
			decor.Name(printable(name)+" "),
			decor.CountersKibiByte("% .1f / % .1f"),
		),
		mpb.AppendDecorators(
			decor.AverageSpeed(decor.SizeB1024(0), "% .1f"),
			decor.Name(" "),
			decor.AverageETA(decor.ET_STYLE_GO),
		),
	)
	return &bar{progress: p, bar: b}
}

// add says that n more bytes were copied. It may be called from any goroutine.
func (b *bar) add(n int) {
	if b.bar != nil {
		b.bar.IncrBy(n)
	}
}

// end leaves the bar as it is and goes to the next line.
func (b *bar) end() {
	if b.bar != nil {
		b.bar.Abort(false)
		b.progress.Wait()
	}
}
