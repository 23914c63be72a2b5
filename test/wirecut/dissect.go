package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"os/exec"
	"strings"
)

// node is a proto or field of PDML, tshark's dissection as XML.
type node struct {
	XMLName  xml.Name
	Name     string `xml:"name,attr"`
	Showname string `xml:"showname,attr"`
	Show     string `xml:"show,attr"`
	Size     int    `xml:"size,attr"`
	Pos      int    `xml:"pos,attr"` // in the packet, or in what was put together from several
	Value    string `xml:"value,attr"`
	Nodes    []node `xml:",any"`
}

// message is an RPC message of the capture.
type message struct {
	call              bool
	stream, xid, proc string
	bytes             []byte // without the record mark
	base              int    // where bytes begin in the positions of protos
	protos            []node // rpc, and the program above it
	transport         string
}

// dissect lets tshark read a capture, and returns its version and the RPC
// messages in it.
func dissect(capture string) (version string, msgs []*message, err error) {
	out, err := exec.Command("tshark", "--version").Output()
	if err != nil {
		return "", nil, fmt.Errorf("tshark: %w (apt-get install tshark)", err)
	}
	version, _, _ = strings.Cut(string(out), "\n")
	if words := strings.Fields(version); len(words) > 2 { // TShark (Wireshark) 4.0.17 (Git …
		version = "Wireshark " + words[2]
	}
	out, err = exec.Command("tshark", "-2", "-n", "-r", capture, "-Y", "rpc", "-T", "pdml").Output()
	if err != nil {
		return "", nil, fmt.Errorf("tshark: %w", err)
	}
	var pdml struct {
		Packets []node `xml:"packet"`
	}
	// Names are shown as they are, and they need not be UTF-8.
	if err := xml.Unmarshal(bytes.ToValidUTF8(out, []byte("?")), &pdml); err != nil {
		return "", nil, fmt.Errorf("tshark -T pdml: %w", err)
	}
	for i := range pdml.Packets {
		m, err := newMessage(&pdml.Packets[i])
		if err != nil {
			return "", nil, err
		}
		msgs = append(msgs, m)
	}
	return version, msgs, nil
}

// newMessage takes the message out of a packet; talk made its calls one at a
// time, so there is one.
func newMessage(packet *node) (*message, error) {
	m := new(message)
	frame := packet.field("frame.number").Show
	payload := packet.field("tcp.payload")
	m.transport, m.stream = "TCP", "tcp"+packet.field("tcp.stream").Show
	if payload.Value == "" {
		payload = packet.field("udp.payload")
		m.transport, m.stream = "UDP", "udp"+packet.field("udp.stream").Show
	}
	whole := *payload
	if r := packet.field("tcp.reassembled.data"); r.Value != "" {
		whole.Value, whole.Pos = r.Value, 0
	}
	b, err := hex.DecodeString(strings.ReplaceAll(whole.Value, ":", ""))
	if err != nil {
		return nil, fmt.Errorf("frame %s: %w", frame, err)
	}
	m.bytes, m.base = b, whole.Pos
	if m.transport == "TCP" {
		if len(b) < 4 || binary.BigEndian.Uint32(b) != 1<<31|uint32(len(b)-4) {
			return nil, fmt.Errorf("frame %s does not hold one record: % x", frame, b[:min(8, len(b))])
		}
		m.bytes, m.base = b[4:], whole.Pos+4
	}
	for _, p := range packet.Nodes {
		if m.protos != nil || p.Name == "rpc" {
			m.protos = append(m.protos, p)
		}
	}
	m.call = packet.field("rpc.msgtyp").Show == "0"
	m.xid = packet.field("rpc.xid").Show
	if _, proc, ok := strings.Cut(packet.field("rpc.procedure").Showname, ": "); ok {
		m.proc, _, _ = strings.Cut(proc, " ")
	}
	return m, nil
}

// field finds the first field of a name; it is empty if there is none.
func (n *node) field(name string) *node {
	if n.Name == name && n.XMLName.Local == "field" {
		return n
	}
	for i := range n.Nodes {
		if f := n.Nodes[i].field(name); f.Name != "" {
			return f
		}
	}
	return &node{}
}
