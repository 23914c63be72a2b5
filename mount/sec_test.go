package mount

import (
	"errors"
	"syscall"
	"testing"

	"github.com/gonfs/gonfs/rpc"
)

func TestFlavorIsChosenAsLinuxDoes(t *testing.T) {
	const refused = rpc.Flavor(0xffffffff)
	for _, tt := range []struct {
		name    string
		wanted  []string
		offered []uint32
		want    rpc.Flavor
		text    string
	}{
		{"nothing wanted: AUTH_SYS if it is listed", nil, []uint32{1}, rpc.FlavorSys, ""},
		{"nothing wanted: AUTH_NONE is never the choice", nil, []uint32{0, 1}, rpc.FlavorSys, ""},
		{"nothing wanted: AUTH_NONE alone stands for any", nil, []uint32{0}, rpc.FlavorSys, ""},
		{"nothing wanted: AUTH_NONE beside Kerberos too", nil, []uint32{390003, 0}, rpc.FlavorSys, ""},
		{"nothing wanted: an empty list is any", nil, nil, rpc.FlavorSys, ""},
		{"nothing wanted: Kerberos is passed over", nil, []uint32{390005, 390004, 390003, 1}, rpc.FlavorSys, ""},
		{"nothing wanted: Kerberos alone", nil, []uint32{390003, 390004}, refused, "the export takes sec=krb5:krb5i, and this client has sec=sys and sec=none"},
		{"nothing wanted: an unknown flavour alone", nil, []uint32{4711}, refused, "the export takes sec=4711, and this client has sec=sys and sec=none"},
		{"wanted and listed", []string{"sys"}, []uint32{1, 0}, rpc.FlavorSys, ""},
		{"wanted none, and listed", []string{"none"}, []uint32{1, 0}, rpc.FlavorNone, ""},
		{"the server's order counts, not ours", []string{"none", "sys"}, []uint32{1, 0}, rpc.FlavorSys, ""},
		{"the server's order, the other way", []string{"sys", "none"}, []uint32{0, 1}, rpc.FlavorNone, ""},
		{"wanted, not listed, but AUTH_NONE is", []string{"sys"}, []uint32{390003, 0}, rpc.FlavorSys, ""},
		{"wanted, and an empty list", []string{"none"}, nil, rpc.FlavorNone, ""},
		{"wanted, and not listed", []string{"sys"}, []uint32{390003}, refused, "the export takes sec=krb5, not sec=sys"},
		{"none wanted, and only AUTH_SYS listed: no silent change", []string{"none"}, []uint32{1}, refused, "the export takes sec=sys, not sec=none"},
		{"what this client does not have is not chosen", []string{"krb5"}, []uint32{390003}, refused, "the export takes sec=krb5, not sec=krb5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ChooseFlavor(tt.wanted, tt.offered)
			if tt.want != refused {
				if err != nil || got != tt.want {
					t.Fatalf("got %v, %v, want %v", got, err, tt.want)
				}
				return
			}
			var e *FlavorError
			if !errors.As(err, &e) || !errors.Is(err, syscall.EACCES) || err.Error() != tt.text {
				t.Errorf("got %v, %v, want %q", got, err, tt.text)
			}
		})
	}
}
