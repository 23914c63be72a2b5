package mount

import (
	"context"
	"testing"
	"time"

	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

// config is a Config for a mount of s in memory.
func config(t testing.TB, s *nfstest.Server, opts string) Config {
	t.Helper()
	o, err := mountopt.Parse(opts)
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		Spec:        mountopt.Spec{Host: "server", Path: "/export"},
		Options:     o,
		DialContext: s.DialContext,
	}
}

// soon is a context for a test that should take no time.
func soon(t testing.TB) context.Context {
	ctx, stop := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(stop)
	return ctx
}

func TestMountAndUnmount(t *testing.T) {
	for _, opts := range []string{"", "tcp", "udp", "mountproto=udp", "proto=tcp,mountproto=udp", "proto=udp,mountproto=tcp", "port=2049,mountport=20048"} {
		t.Run(opts, func(t *testing.T) {
			srv := nfstest.NewFor(t, nfstest.Options{})
			s, err := Dial(soon(t), config(t, srv, opts))
			if err != nil {
				t.Fatal(err)
			}
			if n := len(srv.Mounts()); n != 1 {
				t.Errorf("the server lists %d mounts", n)
			}
			if s.RootAttr().Type != nfs3.TypeDir || s.PathConf().NameMax == 0 {
				t.Errorf("root %+v, PATHCONF %+v", s.RootAttr(), s.PathConf())
			}
			t.Log(s.Options())
			if err := s.Umount(soon(t)); err != nil {
				t.Error(err)
			}
			if n := len(srv.Mounts()); n != 0 {
				t.Errorf("the server lists %d mounts after UMNT", n)
			}
			for _, v := range srv.Counts() {
				_ = v
			}
			t.Log(srv.Counts())
		})
	}
}
