package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/rpc"
)

// The last relay may end just before a read would be the first to wait for it.
func TestNobodyWaitsWithoutARelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newMergeRig(t, "", 64<<10, 20)
		if g, _, _ := r.fs.merge.join(r.f, make([]byte, 10), 0, mergeFirst); g != nil || r.fs.merge.open.Load() != nil {
			t.Error("a READ was begun that nobody sends")
		}
	})
}

var errGaveUp = errors.New("gave up")

// A member that gives up has its memory back at once, and the others what they
// waited for.
func TestAMemberOfAReadMayGiveUp(t *testing.T) {
	for _, sent := range []bool{false, true} {
		for _, who := range [][]int{{0}, {1}, {2}, {0, 1}, {2, 0}, {0, 1, 2}} {
			t.Run(fmt.Sprintf("sent %v, members %v", sent, who), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := newMergeRig(t, "", 64<<10, 20)
					r.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcRead}, Do: []nfstest.Action{nfstest.Delay(time.Second)}})
					over := r.fs.merge.begins()
					var l []*pendingRead
					for i := range 3 {
						l = append(l, r.read(r.f, 4096*i, 4096))
					}
					if sent {
						over()
						synctest.Wait()
					}
					mine := map[*pendingRead]bool{}
					for _, i := range who {
						x := l[i]
						mine[x] = true
						x.stop(errGaveUp)
						<-x.done
						if x.n != 0 || !errors.Is(x.err, errGaveUp) || !errors.Is(x.err, context.Canceled) || x.took != 0 {
							t.Errorf("%d bytes, %v, after %v", x.n, x.err, x.took)
						}
						for i := range x.p {
							x.p[i] = 0xdd // it is the caller's
						}
					}
					if !sent {
						over()
					}
					for _, x := range l {
						if !mine[x] {
							x.check(t, r.data)
							want(t, "it took", x.took, time.Second)
						}
					}
					time.Sleep(2 * time.Second)
					for x := range mine {
						if !bytes.Equal(x.p, bytes.Repeat([]byte{0xdd}, len(x.p))) {
							t.Error("memory was written to afterwards")
						}
					}
					reads := "0+12288"
					if len(who) == 3 && !sent {
						reads = ""
					}
					want(t, "READs", r.came(), reads)
					want(t, "relays under way", r.fs.merge.relays.Load(), 0)

					// The next ones are as good as these.
					over = r.fs.merge.begins()
					x, y := r.read(r.f, 12288, 4096), r.read(r.f, 16384, 4096)
					over()
					x.check(t, r.data)
					y.check(t, r.data)
					want(t, "READs", r.came(), "12288+8192")

					// And may be left, as they are in use again.
					r.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcRead}, Do: []nfstest.Action{nfstest.Delay(time.Second)}})
					over = r.fs.merge.begins()
					x, y = r.read(r.f, 20480, 4096), r.read(r.f, 24576, 4096)
					over()
					synctest.Wait()
					x.stop(errGaveUp)
					<-x.done
					want(t, "it took", x.took, 0)
					y.check(t, r.data)
				})
			})
		}
	}
}

// Who gives up when there is a reply has a turn, which others wait for. When the
// last one has left before, the READ is over.
func TestWhoLeavesAReadAndWhoHasATurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newMergeRig(t, "", 64<<10, 20)
		m := &r.fs.merge
		defer m.begins()()
		for _, replied := range []bool{false, true} {
			g, i, _ := m.join(r.f, make([]byte, 10), 0, mergeFirst)
			_, j, _ := m.join(r.f, make([]byte, 10), 10, mergeMember)
			if !m.leave(g, i) || g.Err() != nil || m.open.Load() != g {
				t.Error("one who left ends the READ for the other")
			}
			if replied {
				m.open.Store(nil)
				m.begins()
				if !m.tell(g) || m.leave(g, j) {
					t.Error("a member left that had a turn")
				}
				m.pass(g)
				continue
			}
			if !m.leave(g, j) || m.tell(g) || g.Err() != context.Canceled || m.open.Load() != nil {
				t.Error("all have left, and the READ is not over")
			}
			<-g.Done()
		}
	})
}

// Part of a file may be on a tape.
func TestAReadDoesNotWaitForAnothersPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newMergeRig(t, "", 64<<10, 20)
		start := time.Now()
		r.Fault(nfstest.Fault{Times: nfstest.Forever, Procs: []uint32{nfs3.ProcRead}, If: func(c *nfstest.Call) bool {
			return c.Args.(*nfs3.ReadArgs).Offset < 4096 && time.Since(start) < 5*time.Minute
		}, Do: []nfstest.Action{nfstest.Status(nfs3.ErrJukebox)}})
		over := r.fs.merge.begins()
		x, y := r.read(r.f, 0, 4096), r.read(r.f, 4096, 4096)
		over()
		y.check(t, r.data)
		want(t, "it took", y.took, 0)
		x.check(t, r.data)
	})
}

// A merged READ is the opener's, and tells what others' READs tell.
func TestAMergedReadIsLikeOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newMergeRig(t, "", 64<<10, 20)
		bob := rpc.NewCred(1001, 1001, nil)
		f, err := r.fs.Open(t.Context(), bob, r.f.ino, os.O_RDONLY)
		must(t, err)
		defer f.Release()
		f.ra.trail = trail{score: sequential}
		f.ra.readers.Add(20)
		uid := uint32(0)
		r.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcRead}, If: func(c *nfstest.Call) bool { uid = c.Cred.UID; return false }})
		r.data = append(r.data, "more"...)
		must(t, r.WriteFile("file", r.data, 0o666))
		over := r.fs.merge.begins()
		x, y := r.read(f, 0, 4096), r.read(f, 4096, 4096)
		over()
		x.check(t, r.data)
		y.check(t, r.data)
		want(t, "READs", r.came(), "0+8192")
		want(t, "the user", uid, 1001)
		want(t, "the size that is known", r.fs.size(r.f.ino), uint64(len(r.data)))
	})
}
