package mutants_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// mutant is a piece of a file that is replaced.
type mutant struct {
	name     string // the mistake
	file     string
	old, new string
	tests    string // -run, of the package that guards the decision: the one that says so, lest it takes minutes
	pkg      string
}

var mutants = []mutant{
	{"the write verifier of COMMIT is not compared", "client/write.go",
		"bytes.Equal(a[:], b[:])", "bytes.Equal(a[:0], b[:0])", "NoAcknowledgedByteIsLost", "."},
	{"attributes from before a local change are believed", "client/attrcache.go",
		"late := o.st.gen <= c.changed", "late := false", "BeforeALocalChange|WithoutAttributes", "client"},
	{"a WRITE is sent while another of the same bytes is under way", "client/writeback.go",
		"if len(d.kept.overlap(e.off, e.end())) == 0 {", "if len(d.kept.overlap(e.off, e.end())) >= 0 {", "WaitsForOne", "client"},
	{"the rest of a short WRITE is forgotten", "client/writecall.go",
		"if err == nil && int(r.Count) < len(e.data) {", "if false {", "ByteArray|Neighbouring|Short", "client"},
	{"an error of write-behind is told to nobody", "client/lost.go",
		"\td.errSeq++\n", "", "ToldOnce", "client"},
	{"EEXIST after a retransmission is always taken for success", "client/replay.go",
		"what := evidence()", "what := evidence()\n\t\twhat = executed", "SentTwice|Once|NotOurs", "client"},
	{"data is written as the mount's user, not as the opener", "client/writecall.go",
		"fs.nfs.WriteOn(c.ctx, c.cred, ", "fs.nfs.WriteOn(c.ctx, fs.cred, ", "Neighbouring", "client"},
	{"a writer that gave up has its memory written from later", "client/lent.go",
		"slices.Clone(e.data), nil, false", "e.data, nil, false", "Lent", "client"},
	{"a write does not wait for a truncation that is under way", "client/write.go",
		"return !d.cutLocked() })", "return true })", "Truncation", "client"},
	{"a truncation that was given up is not waited for", "client/truncate.go",
		"fs.setattr(waited, fs.life, cred", "fs.setattr(waited, waited, cred", "TruncationThatWasGivenUp", "client"},
	{"a write that goes on where another ends runs over a third", "client/write.go",
		"i+1 < len(d.dirty) && d.dirty[i+1].off < end", "false", "WritesThatMeet", "client"},
	{"a truncation does not wait until what was written is safe", "client/truncate.go",
		"if err := fs.flush(ctx, ino); err != nil {", "if err := fs.drain(ctx, ino); err != nil {", "UndoATruncation", "client"},
	{"what an fsync waits for is dropped when it is overwritten", "client/write.go",
		"return e.state == unstable && !awaited", "return e.state == unstable", "DuringAnFsync", "client"},
	{"data is written to the object that has the handle now", "client/writecall.go",
		"if c.ino.gone.Load() {\n\t\t\treturn", "if false {\n\t\t\treturn", "AnotherObject", "client"},
	{"a reply from before a lock is believed under it", "client/attrcache.go",
		"c.changed, c.doubt = gen, true", "_ = gen", "BeforeALock", "client"},
	{"a write from the writer's memory overtakes what is dirty there", "client/lent.go",
		"len(d.dirty.overlap(off, end)) > 0 || ", "", "Lend", "client"},
	{"a read does not see what was written and is not sent", "client/read.go",
		"\t\tcopy(p[piece.at:], piece.data)\n", "\t\t_ = piece\n", "ByteArray", "client"},
	{"a name with a slash is taken from a listing", "client/dirpage.go",
		`name != "" && strings.IndexByte(name, '/') < 0 &&`, `name != "" &&`, "Dir|Name", "client"},
	{"any object under the old name is taken for the one whose handle is stale", "client/stale.go",
		"ino == fs.root || ino.silly != nil || a.Ctime == c.attr.Ctime", "true", "Object|Handle", "client"},
	{"a length on the wire is believed", "xdr/codec.go",
		"if left := uint64(len(c.buf) - c.off); uint64(u)*uint64(unit) > left {", "if left := uint64(len(c.buf) - c.off); false {", "TakesNoMemory", "xdr"},
	{"SO_RCVLOWAT is not reset after a payload", "transport/wire_linux.go",
		"if low == w.low {", "if low <= w.low {", "LowWaterMark", "transport"},
	{"the receive window stays where the first mark has put it", "transport/wire_linux.go",
		"w.setLowat(fd, roomMin)\n\troom", "w.low = roomMin\n\troom", "RoomForManyMarks", "transport"},
	{"a record that has begun to leave is taken out of the queue", "transport/queue.go",
		"if i < q.next || q.loans[i].start < q.taken {", "if i < q.next {", "QueueRemoves", "transport"},
	{"a reply finds its call by the slot alone", "rpc/slots.go",
		"if p := s.calls[xid%slotCount]; p != nil && p.xid == xid {", "if p := s.calls[xid%slotCount]; p != nil {", "StrayMessages", "rpc"},
	{"a reply is taken twice", "rpc/receive.go",
		"if p == nil || p.sent == 0 || p.reply != nil {", "if p == nil || p.sent == 0 {", "LateAndDuplicate", "rpc"},
	{"a second reply is placed where the first one's caller reads", "rpc/receive.go",
		"if l.batch.has(h.xid) {", "if false {", "SecondReply", "rpc"},
	{"a reader left behind finds the memory of a call on another connection", "rpc/pending.go",
		"\tep.pool.Put(p)\n", "\tfor _, e := range ep.core.endpoints {\n\t\te.pool.Put(p)\n\t}\n", "LeftBehind", "rpc"},
	{"who gives up has its part of a READ written to afterwards", "client/merge.go",
		"\tg.sink.Drop(i)\n", "", "MemberOfARead", "client"},
	{"the last to leave a READ that has no reply ends it a second time", "client/merge.go",
		"if g.left--; g.left == 0 {", "if g.left--; true {", "MemberOfARead", "client"},
	{"a merged READ is another user's", "client/merged.go",
		"Readv(g, f.cred, ", "Readv(g, nil, ", "LikeOthers", "client"},
	{"the bytes of a merged READ are another member's", "client/merged.go",
		"int(g.reply.Count)-at", "int(g.reply.Count)", "Merged", "client"},
	{"a read waits for one that nobody sends", "client/merge.go",
		"if m.relays.Load() == 0 {", "if false {", "NobodyWaits", "client"},
	{"the end of one's part is the end of the file", "client/merged.go",
		"n == want || g.reply.EOF", "true", "Merged", "client"},
	{"who has left a relay wakes nobody", "rpc/relay.go",
		"\tif t.next != nil {", "\tif false {", "DropsOut", "rpc"},
	{"what is held back stays when the last call of a relay is over", "rpc/relay.go",
		"\tif t.last && t.relay.holder != nil {", "\tif false {", "HeldBack", "rpc"},
	{"the reader waits for a relay that is over", "rpc/relay.go",
		"\tif t.ends {", "\tif false {", "ReaderWaits", "rpc"},
	{"a relay's reader is kept by what cannot be sent", "rpc/relay.go",
		"\tif t.ends {", "\tif t.last && t.relay.holder != nil {\n\t\tt.relay.holder.Release()\n\t}\n\tif t.ends {", "HeldBack", "rpc"},
	{"a relay ends with the token of an earlier one", "rpc/relay.go",
		"\t\tcase <-r.ended:\n", "", "ReaderWaits", "rpc"},
	{"who may be sending is to wake the next", "rpc/relay.go",
		"case !together || p.alarm.Load() <= 0 ||", "case !together ||", "Relay", "rpc"},
	{"a connection is replaced though it recovers", "rpc/watch.go",
		"!ok || !v.Unacked || v.Acked != acked || v.SinceAck < leastSilence {", "!ok && v.Unacked {", "Watchdog", "rpc"},
	{"a connection that was idle for long counts as silent at the first call", "rpc/watch.go",
		"min(v.SinceAck, still) >= ", "v.SinceAck >= ", "Silent", "rpc"},
	{"the port is changed at each reconnection", "rpc/connect.go",
		"return b.unanswered >= samePortSilent, limit", "return true, limit", "Port|Attempt|NextConnection", "rpc"},
	{"a call that must not be executed twice goes again from another port", "rpc/connect.go",
		"if p.sent > 0 && moved && !p.call.Idempotent {", "if p.sent > 1000 && moved {", "NextConnection", "rpc"},
	{"a server that became slow gets everything twice for ever", "rpc/rtt.go",
		"	if n := min(sent-1, maxDoubled); n >= r.doubled {", "	if n := 0; n >= r.doubled {", "RTT|Timeouts", "rpc"},
}

// root is the module's.
const root = "../.."

func TestMutantsAreStillMistakes(t *testing.T) {
	for _, m := range mutants {
		text, err := os.ReadFile(filepath.Join(root, m.file))
		if err != nil {
			t.Error(err)
			continue
		}
		if n := bytes.Count(text, []byte(m.old)); n != 1 {
			t.Errorf("%s: %s has %q %d times: say which piece makes the mistake now", m.name, m.file, m.old, n)
		}
	}
}

func TestMutantsAreKilled(t *testing.T) {
	if os.Getenv("GONFS_SOAK") == "" {
		t.Skip("mutants are run with GONFS_SOAK=1 (make soak does)")
	}
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) { m.kill(t) })
	}
}

// kill runs the tests that guard the decision, on the code with the mistake.
func (m *mutant) kill(t *testing.T) {
	file, err := filepath.Abs(filepath.Join(root, m.file))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	changed := filepath.Join(dir, filepath.Base(file))
	overlay := filepath.Join(dir, "overlay.json")
	list, err := json.Marshal(map[string]any{"Replace": map[string]string{file: changed}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{changed: bytes.Replace(text, []byte(m.old), []byte(m.new), 1), overlay: list} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	arguments := []string{"-overlay", overlay, "./" + m.pkg}
	if out, err := m.run(append([]string{"vet"}, arguments...)...); err != nil {
		t.Fatalf("the mistake does not compile: %v\n%s", err, out)
	}
	out, err := m.run(append([]string{"test", "-count=1", "-timeout=120s", "-run", m.tests}, arguments...)...)
	if err == nil {
		t.Errorf("nobody noticed:\n%s", out)
	}
}

func (m *mutant) run(arguments ...string) ([]byte, error) {
	c := exec.Command("go", arguments...)
	c.Dir = root
	c.Env = append(os.Environ(), "GONFS_SOAK=") // the tests' short forms must do
	return c.CombinedOutput()
}
