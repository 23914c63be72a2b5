package client

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/transport"
)

func TestAWriteThatIsTooLongIsMadeAgainWithLess(t *testing.T) {
	for _, tt := range []struct {
		name      string
		size, max int // of the message that was refused
		n         int // its data
		most      int // what one WRITE may carry from then on
		again     bool
	}{
		{"32 KiB in a frame of 1500", 32<<10 + 200, 1472, 32 << 10, 1024, true},
		{"8 KiB in a frame of 9000 that became 4352", 8<<10 + 200, 4324, 8 << 10, 4096, true},
		{"1 KiB in a frame of 576", 1<<10 + 200, 548, 1 << 10, 256, true},
		{"an odd number of bytes is padded", 1204, 1203, 1001, 512, true},
		{"not even a byte fits", 1<<10 + 600, 548, 1 << 10, 0, false},
		{"an error that makes no sense", 1 << 10, 2 << 10, 1 << 10, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fs := &FS{config: config{log: slog.New(slog.DiscardHandler)}}
			err := fmt.Errorf("WRITE: %w", &transport.SizeError{Size: tt.size, Max: tt.max})
			if got := fs.narrow(err, tt.n); got != tt.again {
				t.Errorf("again: %v, want %v", got, tt.again)
			}
			if most := int(fs.frame.Load()); most != tt.most || tt.again && fs.fits(tt.n) != most || fs.fits(1) != 1 {
				t.Errorf("one WRITE may carry %d bytes, want %d", most, tt.most)
			}
		})
	}
	fs := new(FS)
	if fs.narrow(nil, 9) || fs.narrow(errors.New("other"), 9) || fs.narrow(nfs3.ErrFbig, 9) {
		t.Error("another error counts as a message that is too long")
	}
	if fs.fits(1<<20) != 1<<20 {
		t.Error("there is a limit that nobody has met")
	}
}
