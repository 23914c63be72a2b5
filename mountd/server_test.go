package mountd

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/xdr"
)

// house is a server with one export, /e, that notes what it was asked.
type house struct {
	log    []string
	handle string
}

func (h *house) Mnt(_ context.Context, _ *rpc.Request, path string, reply *MntReply) {
	h.log = append(h.log, "MNT "+path)
	if path != "/e" {
		reply.Status = ErrNoent
		return
	}
	reply.FH, reply.Flavors = []byte(h.handle), []uint32{1}
}

func (h *house) Dump(context.Context, *rpc.Request) []Mount { return []Mount{{"me", "/e"}} }

func (h *house) Umnt(_ context.Context, _ *rpc.Request, path string) {
	h.log = append(h.log, "UMNT "+path)
}

func (h *house) Umntall(context.Context, *rpc.Request) { h.log = append(h.log, "UMNTALL") }

func (h *house) Export(context.Context, *rpc.Request) []Export {
	return []Export{{"/e", []string{"*"}}}
}

func TestServerAnswersEachProcedure(t *testing.T) {
	for _, tt := range []struct {
		name string
		proc uint32
		args []byte
		stat rpc.AcceptStat
		want []byte
		log  string
	}{
		{"NULL is void", ProcNull, nil, rpc.Success, nil, ""},
		{"MNT gives the handle", ProcMnt, str("/e"), rpc.Success, cat(words(0), str("h"), words(1, 1)), "MNT /e"},
		{"MNT of what is not there", ProcMnt, str("/x"), rpc.Success, words(2), "MNT /x"},
		{"MNT without a path is garbage", ProcMnt, nil, rpc.GarbageArgs, nil, ""},
		{"MNT of an endless path is garbage", ProcMnt, str(strings.Repeat("p", 1025)), rpc.GarbageArgs, nil, ""},
		{"DUMP", ProcDump, nil, rpc.Success, cat(words(1), str("me"), str("/e"), words(0)), ""},
		{"UMNT is void", ProcUmnt, str("/e"), rpc.Success, nil, "UMNT /e"},
		{"UMNT without a path is garbage", ProcUmnt, nil, rpc.GarbageArgs, nil, ""},
		{"UMNTALL is void", ProcUmntall, nil, rpc.Success, nil, "UMNTALL"},
		{"EXPORT", ProcExport, nil, rpc.Success, cat(words(1), str("/e"), words(1), str("*"), words(0, 0)), ""},
		{"procedure 6 there is none", 6, nil, rpc.ProcUnavail, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &house{handle: "h"}
			reply := xdr.NewEncoder(nil)
			stat := Serve(h).ServeRPC(context.Background(), &rpc.Request{Proc: tt.proc, Args: xdr.NewDecoder(tt.args)}, reply)
			if stat != tt.stat {
				t.Fatalf("accept_stat %v, want %v", stat, tt.stat)
			}
			if stat == rpc.Success && !bytes.Equal(reply.Bytes(), tt.want) {
				t.Errorf("got\n%x, want\n%x", reply.Bytes(), tt.want)
			}
			if log := strings.Join(h.log, ","); log != tt.log {
				t.Errorf("the server was asked %q, want %q", log, tt.log)
			}
		})
	}
}

func TestAServerWithoutAHandleIsInError(t *testing.T) {
	reply := xdr.NewEncoder(nil)
	stat := Serve(&house{}).ServeRPC(context.Background(), &rpc.Request{Proc: ProcMnt, Args: xdr.NewDecoder(str("/e"))}, reply)
	if stat != rpc.SystemErr {
		t.Errorf("accept_stat %v, want SYSTEM_ERR", stat)
	}
}
