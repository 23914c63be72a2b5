package transport_test

import (
	"encoding/binary"
	"fmt"

	"github.com/gonfs/gonfs/transport"
)

// echo answers each message with its first word, and "hello" as payload.
type echo struct{ conn transport.Conn }

func (e echo) Place([]byte, int) (int, *transport.Sink) { return 0, nil }

func (e echo) Message(msg *transport.Buffer, _ *transport.Sink) {
	defer msg.Release()
	head := binary.BigEndian.AppendUint32(nil, binary.BigEndian.Uint32(msg.Bytes()))
	if err := e.conn.Send(head, []byte("hello"), nil); err != nil {
		fmt.Println(err)
	}
}

// reader waits for the answer to one message, whose payload begins at byte 4.
type reader struct {
	serial uint32
	sink   transport.Sink
	done   chan []byte
}

func (r *reader) Place(head []byte, length int) (int, *transport.Sink) {
	if len(head) < 4 || binary.BigEndian.Uint32(head) != r.serial || !r.sink.Begin(length-4) {
		return 0, nil // not ours, or too long: Message gets it whole
	}
	return 4, &r.sink
}

func (r *reader) Message(msg *transport.Buffer, sink *transport.Sink) {
	defer msg.Release()
	if sink != nil {
		r.done <- append([]byte(nil), msg.Bytes()...)
	}
}

// A message goes to and fro; the payload of the answer is received in memory
// that the caller brought. Over TCP the same code reads it straight there.
func Example() {
	client, server := transport.Pipe()
	go server.Serve(echo{server})

	payload := make([]byte, 16)
	r := &reader{serial: 7, done: make(chan []byte)}
	r.sink.Reset(payload)
	served := make(chan error)
	go func() { served <- client.Serve(r) }()

	if err := client.Send([]byte{0, 0, 0, 7}, nil, nil); err != nil {
		fmt.Println(err)
	}
	fmt.Printf("head %x\n", <-r.done)
	fmt.Printf("payload %q\n", payload[:r.sink.Len()])

	client.Close()
	fmt.Println(<-served)
	// Output:
	// head 00000007
	// payload "hello\x00\x00\x00"
	// use of closed network connection
}
