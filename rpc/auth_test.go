package rpc

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/gonfs/gonfs/xdr"
)

func TestAuthMarshal(t *testing.T) {
	gids := make([]uint32, 20)
	for i := range gids {
		gids[i] = uint32(i + 100)
	}
	words := func(w ...uint32) []byte { return callOf(w...)[4:] }
	for _, tt := range []struct {
		name string
		auth Auth
		cred *Cred
		want []byte
	}{
		{"AUTH_NONE", AuthNone(), NewCred(1, 2, nil), words(0, 0, 0, 0)},
		{"AUTH_SYS", AuthSys("abc"), NewCred(1, 2, gids[:2]), words(1, 32, 0, 3, 0x61626300, 1, 2, 2, 100, 101, 0, 0)},
		{"AUTH_SYS without a name or groups", AuthSys(""), NewCred(1, 2, nil), words(1, 20, 0, 0, 1, 2, 0, 0, 0)},
		{"AUTH_SYS with 16 groups of 20", AuthSys(""), NewCred(1, 2, gids), words(slices.Concat([]uint32{1, 84, 0, 0, 1, 2, 16}, gids[:16], []uint32{0, 0})...)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := xdr.NewEncoder(nil)
			tt.auth.Marshal(c, tt.cred)
			if !bytes.Equal(c.Bytes(), tt.want) || c.Err() != nil {
				t.Errorf("got  %x, %v\nwant %x", c.Bytes(), c.Err(), tt.want)
			}
		})
	}
	c := xdr.NewEncoder(nil)
	AuthSys(strings.Repeat("m", 300)).Marshal(c, NewCred(0, 0, gids))
	if n, _ := word(c.Bytes(), 4); c.Err() != nil || n != 20+256+64 || n > maxAuth || len(c.Bytes()) != int(n)+16 {
		t.Errorf("the longest credential has %d bytes, %v", n, c.Err())
	}
	var got Cred
	if !decodeSys(c.Bytes()[8:len(c.Bytes())-8], &got) || got != *NewCred(0, 0, gids) {
		t.Errorf("read back: %+v", got)
	}
}

func TestVerifiersOfReplies(t *testing.T) {
	for f, want := range map[Flavor]bool{FlavorNone: true, FlavorSys: true, FlavorShort: true, FlavorDH: false, FlavorGSS: false, FlavorTLS: false, 390003: false} {
		for _, a := range []Auth{AuthNone(), AuthSys("m")} {
			if err := a.Verify(&Cred{}, f, nil); (err == nil) != want {
				t.Errorf("flavour %d answers %d: %v", f, a.Flavor(), err)
			}
		}
	}
}

// All the names that RFC 5531 section 9 has, and the errno of each error.
func TestNames(t *testing.T) {
	for i, want := range []string{"SUCCESS", "PROG_UNAVAIL", "PROG_MISMATCH", "PROC_UNAVAIL", "GARBAGE_ARGS", "SYSTEM_ERR", "6"} {
		if got := AcceptStat(i).String(); got != want {
			t.Errorf("accept_stat %d is %q, want %q", i, got, want)
		}
	}
	for i, want := range []string{"RPC_MISMATCH", "AUTH_ERROR", "2"} {
		if got := RejectStat(i).String(); got != want {
			t.Errorf("reject_stat %d is %q, want %q", i, got, want)
		}
	}
	for i, want := range strings.Fields(`AUTH_OK AUTH_BADCRED AUTH_REJECTEDCRED AUTH_BADVERF AUTH_REJECTEDVERF AUTH_TOOWEAK
		AUTH_INVALIDRESP AUTH_FAILED AUTH_KERB_GENERIC AUTH_TIMEEXPIRE AUTH_TKT_FILE AUTH_DECODE AUTH_NET_ADDR
		RPCSEC_GSS_CREDPROBLEM RPCSEC_GSS_CTXPROBLEM 15`) {
		if got := AuthStat(i).String(); got != want {
			t.Errorf("auth_stat %d is %q, want %q", i, got, want)
		}
	}
	for _, e := range []error{&ReplayError{Transmissions: 2}, &ProtocolError{What: "x"}, &TimeoutError{Recovery: Soft}} {
		if !errors.Is(e, syscall.EIO) || errors.Is(e, syscall.ETIMEDOUT) || e.Error() == "" {
			t.Errorf("%v is not EIO alone", e)
		}
	}
	if e := error(&TimeoutError{Recovery: SoftErr}); errors.Is(e, syscall.EIO) || !errors.Is(e, syscall.ETIMEDOUT) {
		t.Errorf("%v is not ETIMEDOUT alone", e)
	}
}
