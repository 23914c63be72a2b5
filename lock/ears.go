package lock

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
)

// Bounds of what strangers can have of us.
const (
	maxCallers  = 64               // TCP connections at once
	callerLife  = 10 * time.Minute // of one
	maxCallback = 8 << 10          // bytes of a message: the longest arguments are about 4 KiB
)

// ears are the sockets at which servers call back, or tell of their restart, on
// all addresses of this host.
type ears struct {
	udp net.PacketConn
	tcp net.Listener

	stop context.CancelFunc
	wg   sync.WaitGroup // the goroutines that serve
}

func openEars() (*ears, error) {
	udp, err := net.ListenPacket("udp", ":0")
	if err != nil {
		return nil, err
	}
	tcp, err := net.Listen("tcp", ":0")
	if err != nil {
		udp.Close()
		return nil, err
	}
	return &ears{udp: udp, tcp: tcp, stop: func() {}}, nil
}

// services are their registrations at rpcbind.
func (l *ears) services(prog, vers uint32) []portmap.Rpcb {
	v6 := l.tcp.Addr().(*net.TCPAddr).IP.To4() == nil
	return portmap.Services(prog, vers, portOf(l.udp.LocalAddr()), portOf(l.tcp.Addr()), v6)
}

// serve answers until close, or the end of life.
func (l *ears) serve(life context.Context, prog, vers uint32, p rpc.Program, log *slog.Logger) {
	life, l.stop = context.WithCancel(life)
	s := &rpc.Server{Logger: log}
	s.Register(prog, vers, p)
	l.wg.Go(func() { s.ServePacketConn(life, l.udp) }) // ends with life
	l.wg.Go(func() { l.accept(life, s) })              // likewise
}

// accept serves TCP connections, a limited number at once, each for a limited
// time.
func (l *ears) accept(life context.Context, s *rpc.Server) {
	stop := context.AfterFunc(life, func() { l.tcp.Close() })
	defer stop()
	slots := make(chan struct{}, maxCallers)
	for {
		nc, err := l.tcp.Accept()
		switch {
		case life.Err() != nil:
			if err == nil {
				nc.Close()
			}
			return
		case err != nil:
			_ = rpc.Sleep(life, 100*time.Millisecond) // out of descriptors: others will close theirs
			continue
		}
		select {
		case slots <- struct{}{}:
			l.wg.Go(func() { // ends with the connection, or after callerLife
				ctx, cancel := context.WithTimeout(life, callerLife)
				defer cancel()
				s.ServeConn(ctx, transport.NewStream(nc, maxCallback))
				<-slots
			})
		default:
			nc.Close()
		}
	}
}

// close ends the sockets and waits for what is being served.
func (l *ears) close() {
	l.stop()
	l.udp.Close()
	l.tcp.Close()
	l.wg.Wait()
}

// portOf is the port of a socket's address.
func portOf(a net.Addr) uint16 {
	switch a := a.(type) {
	case *net.TCPAddr:
		return uint16(a.Port)
	case *net.UDPAddr:
		return uint16(a.Port)
	}
	return 0
}
