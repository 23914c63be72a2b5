package portmap

import (
	"bytes"
	"context"
	"testing"

	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/xdr"
)

var table = Table{
	{Program, Version2, "tcp", "0.0.0.0.0.111", "superuser"},
	{100003, 3, "tcp", "0.0.0.0.8.1", "superuser"},
	{100003, 3, "udp6", "::.8.1", "superuser"},
	{100005, 3, "udp", "0.0.0.0.78.80", "superuser"},
	{Program, Version4, "local", "/run/rpcbind.sock", "superuser"},
}

func TestServerAnswersEachProcedure(t *testing.T) {
	rpcb := func(netid string) []byte {
		return bytes.Join([][]byte{words(100003, 3), str(netid), str(""), str("")}, nil)
	}
	for _, tt := range []struct {
		name string
		p    rpc.Program
		proc uint32
		args []byte
		stat rpc.AcceptStat
		want []byte
	}{
		{"v2 NULL is void", Serve(table), ProcNull, nil, rpc.Success, nil},
		{"GETPORT of what is registered", Serve(table), ProcGetport, words(100005, 3, 17, 0), rpc.Success, words(20048)},
		{"GETPORT of another protocol is 0", Serve(table), ProcGetport, words(100005, 3, 6, 0), rpc.Success, words(0)},
		{"GETPORT does not see IPv6", Serve(table), ProcGetport, words(100003, 3, 17, 0), rpc.Success, words(0)},
		{"GETPORT cut short is garbage", Serve(table), ProcGetport, words(100005, 3, 17), rpc.GarbageArgs, nil},
		{"v2 DUMP lists IPv4 alone", Serve(table), ProcDump, nil, rpc.Success,
			words(1, 100000, 2, 6, 111, 1, 100003, 3, 6, 2049, 1, 100005, 3, 17, 20048, 0)},
		{"CALLIT is not served", Serve(table), 5, nil, rpc.ProcUnavail, nil},
		{"v4 NULL is void", ServeRpcbind(table), RpcbProcNull, nil, rpc.Success, nil},
		{"GETADDR of what is registered", ServeRpcbind(table), RpcbProcGetaddr, rpcb("udp6"), rpc.Success, str("::.8.1")},
		{"GETADDR of another netid is empty", ServeRpcbind(table), RpcbProcGetaddr, rpcb("tcp6"), rpc.Success, words(0)},
		{"GETADDR cut short is garbage", ServeRpcbind(table), RpcbProcGetaddr, words(100003, 3, 9), rpc.GarbageArgs, nil},
		{"SET is not served", ServeRpcbind(table), 1, nil, rpc.ProcUnavail, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			reply := xdr.NewEncoder(nil)
			stat := tt.p.ServeRPC(context.Background(), &rpc.Request{Proc: tt.proc, Args: xdr.NewDecoder(tt.args)}, reply)
			if stat != tt.stat {
				t.Fatalf("accept_stat %v, want %v", stat, tt.stat)
			}
			if stat == rpc.Success && !bytes.Equal(reply.Bytes(), tt.want) {
				t.Errorf("got\n%x, want\n%x", reply.Bytes(), tt.want)
			}
		})
	}
	reply := xdr.NewEncoder(nil)
	ServeRpcbind(table).ServeRPC(context.Background(), &rpc.Request{Proc: RpcbProcDump, Args: xdr.NewDecoder(nil)}, reply)
	var l rpcbs
	if l.XDR(xdr.NewDecoder(reply.Bytes())); len(l) != len(table) || l[4] != table[4] {
		t.Errorf("DUMP tells %v", l)
	}
}

func TestTheServersOwnOversizeIsASystemError(t *testing.T) {
	reply := xdr.NewEncoder(nil)
	stat := Serve(make2(maxEntries+1)).ServeRPC(context.Background(), &rpc.Request{Proc: ProcDump, Args: xdr.NewDecoder(nil)}, reply)
	if stat != rpc.SystemErr {
		t.Errorf("accept_stat %v, want SYSTEM_ERR", stat)
	}
}

// make2 is a table of n entries.
func make2(n int) Table {
	t := make(Table, n)
	for i := range t {
		t[i] = table[1]
	}
	return t
}
