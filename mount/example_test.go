package mount_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/gonfs/gonfs/mount"
	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

func ExampleDial() {
	// A server in memory; its DialContext takes the place of the network.
	srv := nfstest.New(nfstest.Options{})
	defer srv.Close()

	spec, err := mountopt.ParseSpec("server:/export")
	if err != nil {
		fmt.Println(err)
		return
	}
	opts, err := mountopt.Parse("ro,rsize=65536,timeo=50")
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	s, err := mount.Dial(ctx, mount.Config{Spec: spec, Options: opts, DialContext: srv.DialContext})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.RootAttr().Type == nfs3.TypeDir, s.Rsize(), s.Options().Proto.Value)
	fmt.Println(s.Umount(ctx))

	spec.Path = "/elsewhere"
	_, err = mount.Dial(ctx, mount.Config{Spec: spec, DialContext: srv.DialContext})
	var e *mount.Error
	fmt.Println(errors.As(err, &e), e.Message())
	// Output:
	// true 65536 tcp
	// <nil>
	// true access denied by server while mounting server:/elsewhere
}

func ExamplePlanFor() {
	opts, _ := mountopt.Parse("mountproto=udp,port=2049")
	p := mount.PlanFor(mountopt.Spec{Host: "server", Path: "/export"}, opts, false)
	fmt.Println("mountd:", p.Mountd.Netids, p.Mountd.Port)
	fmt.Println("NFS:", p.NFS.Netids, p.NFS.Port)
	// Output:
	// mountd: [udp] 0
	// NFS: [tcp udp] 2049
}
