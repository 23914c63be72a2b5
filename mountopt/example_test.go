package mountopt_test

import (
	"fmt"

	"github.com/gonfs/gonfs/mountopt"
)

func Example() {
	o, err := mountopt.Parse("soft,timeo=100,hard,rsize=64k,nolock,nosuid,_netdev")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(o)
	fmt.Println(o.Recovery.Value, o.Timeo.Value, o.Rsize.Value, o.Wsize.Set)

	_, err = mountopt.Parse("rw,nconnect=40")
	fmt.Println(err)
	// Output:
	// rw,nosuid,vers=3,rsize=65536,hard,nolock,timeo=100,local_lock=all
	// hard 10s 65536 false
	// invalid value for 'nconnect=' option: '40' is not a number of connections (1 to 16)
}

func ExampleParseSpec() {
	for _, s := range []string{"server:/export", "[fe80::1%eth0]:/a:b", "nfs://server:20049/my%20files"} {
		spec, err := mountopt.ParseSpec(s)
		fmt.Printf("%q %q %d %v\n", spec.Host, spec.Path, spec.Port, err)
	}
	// Output:
	// "server" "/export" 0 <nil>
	// "fe80::1%eth0" "/a:b" 0 <nil>
	// "server" "/my files" 20049 <nil>
}
