package faults

import (
	"encoding/binary"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// sniffer notes the TCP packets of the NFS port that pass the server's device.
type sniffer struct {
	fd   int
	done chan struct{}

	mu    sync.Mutex // guards trace
	trace []string
}

// sniff begins to note. A packet is its direction as the server sees it and
// its flags: ">S" is a SYN from the client, "<SA" the answer to it.
func (n *network) sniff(t *testing.T) *sniffer {
	t.Helper()
	fd, err := inNamespace("server", func() (int, error) {
		const all = unix.ETH_P_ALL << 8 // in network order; less than all leaves out what is sent
		// SOCK_DGRAM makes the kernel take the link's header off.
		return unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, all)
	})
	if err != nil {
		t.Fatalf("packet socket: %v", err)
	}
	timeout := unix.Timeval{Usec: 50_000}
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout); err != nil {
		t.Fatal(err)
	}
	s := &sniffer{fd: fd, done: make(chan struct{})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.run()
	}()
	t.Cleanup(func() {
		close(s.done)
		<-ended
		unix.Close(fd)
	})
	return s
}

// run reads packets until the sniffer is done.
func (s *sniffer) run() {
	packet := make([]byte, 1<<16)
	for {
		select {
		case <-s.done:
			return
		default:
		}
		size, _, err := unix.Recvfrom(s.fd, packet, 0)
		if err != nil {
			continue // nothing came within the timeout
		}
		if name := flags(packet[:size]); name != "" {
			s.mu.Lock()
			s.trace = append(s.trace, name)
			s.mu.Unlock()
		}
	}
}

// flags names a packet; "" if it is none of TCP's to or from the NFS port.
func flags(packet []byte) string {
	const tcp, port = 6, 2049
	if len(packet) < 20 || packet[0]>>4 != 4 || packet[9] != tcp {
		return ""
	}
	segment := packet[int(packet[0]&15)*4:]
	if len(segment) < 20 {
		return ""
	}
	name := ""
	switch {
	case binary.BigEndian.Uint16(segment[2:]) == port:
		name = ">"
	case binary.BigEndian.Uint16(segment) == port:
		name = "<"
	default:
		return ""
	}
	for i, letter := range "FSRPA" {
		if segment[13]&(1<<i) != 0 && letter != 'P' {
			name += string(letter)
		}
	}
	return name
}

// seen are the packets so far, and begins anew.
func (s *sniffer) seen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	trace := strings.Join(s.trace, " ")
	s.trace = nil
	return trace
}
