package lock

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/gonfs/gonfs/nlm"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
)

// inferring is a rpcbind as they are: it takes the netid of the question from the
// connection that the question came by.
type inferring struct {
	portmap.Table
	netid string
}

func (i inferring) Getaddr(ctx context.Context, r *rpc.Request, b *portmap.Rpcb) string {
	b.Netid = i.netid
	return i.Table.Getaddr(ctx, r, b)
}

// The lock managers of Linux listen at one port over UDP and at another over TCP.
func TestRpcbindMayBeAskedOverTheOtherTransport(t *testing.T) {
	for _, tt := range []struct {
		netid   string
		version uint32 // of rpcbind, beside 2
		want    uint16
	}{
		{"tcp", 4, 999}, {"udp", 4, 1000}, {"tcp6", 4, 1001}, {"udp6", 4, 1002}, {"tcp6", 3, 1001}, {"udp6", 3, 1002},
	} {
		t.Run(fmt.Sprint(tt.netid, ", version ", tt.version), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				table := portmap.Table{{Netid: "tcp", Addr: "0.0.0.0.3.231"}, {Netid: "udp", Addr: "0.0.0.0.3.232"},
					{Netid: "tcp6", Addr: "::.3.233"}, {Netid: "udp6", Addr: "::.3.234"}}
				for i := range table {
					table[i].Prog, table[i].Vers = nlm.Program, nlm.Version
				}
				over := "tcp" + tt.netid[3:]
				var srv rpc.Server
				srv.Register(portmap.Program, portmap.Version2, portmap.Serve(table))
				srv.Register(portmap.Program, tt.version, portmap.ServeRpcbind(inferring{table, over}))
				var wg sync.WaitGroup
				s := Server{Host: "server", Netid: tt.netid, DialContext: func(context.Context, string, string) (net.Conn, error) {
					near, far := net.Pipe()
					wg.Go(func() { srv.ServeConn(context.Background(), transport.NewStream(far, 1<<20)) }) // ends with near
					return near, nil
				}}
				if port, err := s.ask(t.Context(), over, "client"); port != tt.want || err != nil {
					t.Errorf("port %d, %v, want %d", port, err, tt.want)
				}
				wg.Wait()
			})
		})
	}
}
