package transport

import (
	"encoding/binary"
	"io"
	"net"
)

// Record marking, RFC 5531 section 11: a record is one or more fragments, a
// fragment a word with its length and the bytes. The top bit of the word says
// that this is the last fragment.
const (
	markSize     = 4
	lastFragment = 1 << 31
)

const (
	// maxFragments is how many fragments a record may have. Known servers send
	// one, or one for each 4 to 64 KiB; a peer that sends thousands of tiny
	// ones wants to keep us busy.
	maxFragments = 1024
	// scratchSize is how much is read at once when it is not known what comes:
	// the best of 256 B to 256 KiB for 4 KiB reads at depth 32 (0.09 system
	// calls a reply), without effect on 1 MiB reads.
	scratchSize = 64 << 10
	// bulk is how long a payload must be for the next one to be expected to be
	// as long, and aheadSize how much is read beyond a payload then: the head of
	// the next reply, and little of its payload, which would have to be copied.
	// (64 KiB READs at depth 16: a quarter of the CPU went into that.)
	bulk      = 16 << 10
	aheadSize = 1 << 10
	// firstBuffer is how much memory a record gets on its own word; more comes
	// as its bytes do.
	firstBuffer = 64 << 10
)

// recordReader turns the bytes of a stream into messages. buf[r:w] has been
// read from the wire and not been used.
type recordReader struct {
	wire   wire
	remote net.Addr
	max    int // bytes of a record

	buf  []byte
	r, w int
	bulk bool // the last message had a long payload

	msg *Buffer // the message under construction, or nil
	own Sink    // makes msg's memory a sink, so that payloads and small messages go one way
}

// run reads records until an error.
func (rr *recordReader) run(r Receiver) error {
	pause := pauseOf(r)
	rr.wire.pausing(pause)
	for {
		if err := rr.record(r); err != nil {
			pause()
			if rr.msg != nil {
				rr.msg.Release()
				rr.msg = nil
			}
			return err
		}
	}
}

// record reads one record and hands it to r.
func (rr *recordReader) record(r Receiver) error {
	have := 0 // bytes of the record in msg
	var size int
	for fragments := 1; ; fragments++ {
		mark, err := rr.peek(markSize)
		if err != nil {
			if fragments == 1 && rr.r == rr.w {
				return err // io.EOF between records is an orderly end
			}
			return midRecord(err)
		}
		word := binary.BigEndian.Uint32(mark)
		rr.r += markSize
		size = int(word &^ lastFragment)
		if size > rr.max-have {
			return &RecordError{Remote: rr.remote, Size: have + size, Fragments: fragments, Max: rr.max}
		}
		if word&lastFragment != 0 {
			break
		}
		if fragments == maxFragments {
			return &RecordError{Remote: rr.remote, Size: have + size, Fragments: fragments + 1, Max: maxFragments}
		}
		have += size
		if err := rr.extend(have); err != nil {
			return midRecord(err)
		}
	}
	return midRecord(rr.place(r, have, have+size))
}

// place shows the first bytes of a record to r, and brings the rest to where r
// wants it. The first have bytes are in rr.msg, the others follow on the wire
// in one piece.
func (rr *recordReader) place(r Receiver, have, length int) error {
	var head []byte
	if have == 0 { // nearly always: look at the bytes where they are
		var err error
		if head, err = rr.peek(min(length, HeadMax)); err != nil {
			return err
		}
	} else {
		have = max(have, min(length, HeadMax))
		if err := rr.extend(have); err != nil {
			return err
		}
		head = rr.msg.Bytes()[:min(have, HeadMax)]
	}
	off, sink := r.Place(head, length)
	rr.bulk = false
	if sink != nil {
		if n, ticket := sink.open(); fits(off, n, length) {
			rr.bulk = n >= bulk
			return rr.fill(r, have, length, off, n, sink, ticket)
		}
	}
	if err := rr.extend(length); err != nil {
		return err
	}
	rr.hand(r, nil)
	return nil
}

// fill brings the bytes before off to the message, n bytes to the sink, and
// throws the padding away.
func (rr *recordReader) fill(r Receiver, have, length, off, n int, sink *Sink, ticket uint32) error {
	if have < off || rr.msg == nil {
		if err := rr.extend(off); err != nil {
			return err
		}
		have = off
	}
	mine := rr.msg.Bytes()[off:have] // payload that came in earlier fragments
	mine = mine[:min(len(mine), n)]
	sink.put(ticket, mine)
	if err := rr.payload(sink, ticket, n-len(mine)); err != nil {
		return err
	}
	if err := rr.payload(nil, 0, length-max(have, off+n)); err != nil {
		return err
	}
	rr.msg.Truncate(off)
	rr.hand(r, sink)
	return nil
}

// hand gives the message away.
func (rr *recordReader) hand(r Receiver, sink *Sink) {
	m := rr.msg
	rr.msg = nil
	r.Message(m, sink)
}

// extend reads on until the message is n bytes long. Its memory grows with
// what has come, not with what the peer announced.
func (rr *recordReader) extend(n int) error {
	if rr.msg == nil {
		rr.msg = NewBuffer(min(n, firstBuffer))
		rr.msg.Truncate(0)
	}
	for {
		have := len(rr.msg.Bytes())
		if have >= n {
			return nil
		}
		if have == cap(rr.msg.b) {
			m := NewBuffer(min(n, 4*max(have, firstBuffer/4)))
			m.Truncate(copy(m.Bytes(), rr.msg.Bytes()))
			rr.msg.Release()
			rr.msg = m
		}
		to := min(n, cap(rr.msg.b))
		if k := min(to-have, rr.w-rr.r); k > 0 { // nearly always all of it
			rr.msg.b = append(rr.msg.b, rr.buf[rr.r:rr.r+k]...)
			rr.r += k
			continue
		}
		rr.msg.b = rr.msg.b[:to]
		rr.own.Reset(rr.msg.b[have:])
		rr.own.Begin(to - have)
		_, ticket := rr.own.open()
		if err := rr.payload(&rr.own, ticket, to-have); err != nil {
			return err
		}
	}
}

// payload reads n bytes into sink, or throws them away if there is none or it
// is canceled.
func (rr *recordReader) payload(sink *Sink, ticket uint32, n int) error {
	for n > 0 {
		if rr.r < rr.w {
			k := min(n, rr.w-rr.r)
			if sink != nil {
				sink.put(ticket, rr.buf[rr.r:rr.r+k])
			}
			rr.r += k
			n -= k
			continue
		}
		rr.r, rr.w = 0, 0
		inSink, inBuf, err := rr.wire.read(sink, ticket, n, rr.scratch())
		if err != nil {
			return err
		}
		n -= inSink
		rr.w = inBuf
	}
	return nil
}

// peek returns the next n bytes, n being much less than the scratch buffer,
// without using them up. They are valid until the next read.
func (rr *recordReader) peek(n int) ([]byte, error) {
	for rr.w-rr.r < n {
		switch {
		case rr.r == rr.w:
			rr.r, rr.w = 0, 0
		case len(rr.buf)-rr.r < n:
			rr.w = copy(rr.buf, rr.buf[rr.r:rr.w])
			rr.r = 0
		}
		_, k, err := rr.wire.read(nil, 0, n-(rr.w-rr.r), rr.scratch())
		if err != nil {
			return nil, err
		}
		rr.w += k
	}
	return rr.buf[rr.r : rr.r+n], nil
}

// scratch returns the memory for what is read without knowing what it is: the
// free part of the scratch buffer, of which little is used between long
// payloads.
func (rr *recordReader) scratch() []byte {
	b := rr.buf[rr.w:]
	if rr.bulk && rr.wire.direct() {
		b = b[:min(len(b), aheadSize)]
	}
	return b
}

// midRecord makes of an orderly end an untimely one.
func midRecord(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
