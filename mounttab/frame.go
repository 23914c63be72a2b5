package mounttab

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// Bounds of what is read from anybody.
const (
	maxMessage = 256 << 10 // bytes of a message, and of a record: the statistics of all procedures take about 10 KiB
	maxNesting = 16        // arrays and maps within each other
)

// MessageError is a message or a record that is not what it should be.
type MessageError struct{ What string }

// Error implements error.
func (e *MessageError) Error() string { return "mounttab: malformed message: " + e.What }

// marshal encodes v with the names of its json tags, so that both forms have
// the same.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := msgpack.NewEncoder(&b)
	enc.SetCustomStructTag("json")
	enc.SetOmitEmpty(true)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("mounttab: encode %T: %w", v, err)
	}
	return b.Bytes(), nil
}

// unmarshal decodes b into v. Fields that v does not have are skipped: they are
// a newer version's.
func unmarshal(b []byte, v any) error {
	if err := wellFormed(b); err != nil {
		return err
	}
	dec := msgpack.NewDecoder(bytes.NewReader(b))
	dec.SetCustomStructTag("json")
	if err := dec.Decode(v); err != nil {
		return &MessageError{err.Error()}
	}
	return nil
}

// writeMessage writes v with its length in front, in one Write.
func writeMessage(w io.Writer, v any) error {
	body, err := marshal(v)
	if err != nil {
		return err
	}
	if len(body) > maxMessage {
		return &MessageError{fmt.Sprintf("%d bytes to send, at most %d are allowed", len(body), maxMessage)}
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...))
	return err
}

// readMessage reads what writeMessage wrote. io.EOF means that there was
// nothing, not a byte of it.
func readMessage(r io.Reader, v any) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxMessage {
		return &MessageError{fmt.Sprintf("%d bytes announced, at most %d are allowed", n, maxMessage)}
	}
	// The buffer grows with what arrives, not with what was announced.
	var body bytes.Buffer
	if _, err := io.CopyN(&body, r, int64(n)); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	return unmarshal(body.Bytes(), v)
}

// wellFormed walks through msgpack and reports whether every string, array and
// map fits into the bytes that follow it, and how deep they nest. The library
// would allocate what an array announces, and recurse as deep as it is told.
func wellFormed(b []byte) error {
	left := []int{1} // values still to come, of each array and map that is open
	for len(left) > 0 {
		top := len(left) - 1
		if left[top] == 0 {
			left = left[:top]
			continue
		}
		left[top]--
		if len(b) == 0 {
			return &MessageError{"it ends too early"}
		}
		skip, values := extent(b)
		if skip > len(b) || values > len(b)-skip {
			return &MessageError{fmt.Sprintf("code %#x announces more than follows", b[0])}
		}
		if b = b[skip:]; values > 0 {
			if len(left) > maxNesting {
				return &MessageError{"it nests too deep"}
			}
			left = append(left, values)
		}
	}
	if len(b) > 0 {
		return &MessageError{"something follows it"}
	}
	return nil
}

// extent returns how many bytes the value at the head of b has, and how many
// values follow that belong to it. A head that is cut off counts as too long.
func extent(b []byte) (skip, values int) {
	c := b[0]
	number := func(bytes int) (n int) { // the number after the code
		if len(b) < 1+bytes {
			return maxMessage + 1
		}
		for _, d := range b[1 : 1+bytes] {
			n = n<<8 | int(d)
		}
		return n
	}
	switch {
	case msgpcode.IsFixedNum(c):
		return 1, 0
	case msgpcode.IsFixedString(c):
		return 1 + int(c&msgpcode.FixedStrMask), 0
	case msgpcode.IsFixedArray(c):
		return 1, int(c & msgpcode.FixedArrayMask)
	case msgpcode.IsFixedMap(c):
		return 1, 2 * int(c&msgpcode.FixedMapMask)
	case msgpcode.IsFixedExt(c):
		return 2 + 1<<(c-msgpcode.FixExt1), 0
	}
	switch c {
	case msgpcode.Nil, msgpcode.False, msgpcode.True:
		return 1, 0
	case msgpcode.Uint8, msgpcode.Int8:
		return 2, 0
	case msgpcode.Uint16, msgpcode.Int16:
		return 3, 0
	case msgpcode.Uint32, msgpcode.Int32, msgpcode.Float:
		return 5, 0
	case msgpcode.Uint64, msgpcode.Int64, msgpcode.Double:
		return 9, 0
	case msgpcode.Str8, msgpcode.Bin8:
		return 2 + number(1), 0
	case msgpcode.Str16, msgpcode.Bin16:
		return 3 + number(2), 0
	case msgpcode.Str32, msgpcode.Bin32:
		return 5 + number(4), 0
	case msgpcode.Ext8:
		return 3 + number(1), 0
	case msgpcode.Ext16:
		return 4 + number(2), 0
	case msgpcode.Ext32:
		return 6 + number(4), 0
	case msgpcode.Array16:
		return 3, number(2)
	case msgpcode.Array32:
		return 5, number(4)
	case msgpcode.Map16:
		return 3, 2 * number(2)
	case msgpcode.Map32:
		return 5, 2 * number(4)
	}
	return maxMessage + 1, 0 // 0xc1 is never used
}
