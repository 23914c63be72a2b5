package client

import (
	"context"
	"errors"
	"io"
)

// maxLoans is how many blocks of read-ahead one Loan has room for.
const maxLoans = 8

// Loan is data that was read, without a copy where it lay ready: FUSE answers
// with a writev of it. The zero Loan is empty; Release makes it so again.
type Loan struct {
	parts  [maxLoans + 1][]byte // what is lent, and then what is in the reader's own memory
	blocks [maxLoans]*raBlock
	n      int // blocks
	size   int
}

// Lend is ReadAt for those who only look at the data: l refers to it until
// Release. What has to be read first goes into p, which belongs to l as long.
// At the end of the file there is less than len(p) bytes, and no error.
func (f *File) Lend(ctx context.Context, p []byte, off int64, l *Loan) error {
	n, err := f.read(ctx, p, off, l)
	if n == 0 && err != nil && !errors.Is(err, io.EOF) {
		l.Release()
		return err
	}
	lent := 0
	for _, part := range l.parts[:l.n] {
		lent += len(part)
	}
	l.parts[l.n], l.size = p[lent:n], n
	return nil
}

// Parts returns the data, in order. It must not be changed, and not be touched
// after Release.
func (l *Loan) Parts() [][]byte {
	if l.n > 0 && len(l.parts[l.n]) == 0 {
		return l.parts[:l.n]
	}
	return l.parts[:l.n+1]
}

// Size returns how many bytes the data is.
func (l *Loan) Size() int { return l.size }

// Release gives back what was lent.
func (l *Loan) Release() {
	for _, b := range l.blocks[:l.n] {
		b.release()
	}
	*l = Loan{}
}

// take adds data, which is b's, and reports whether it could. b is l's to
// release then.
func (l *Loan) take(b *raBlock, data []byte) bool {
	if l == nil || l.n == maxLoans {
		return false
	}
	l.blocks[l.n], l.parts[l.n] = b, data
	l.n++
	return true
}
