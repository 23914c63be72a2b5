package nfs3

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gonfs/gonfs/xdr"
)

func TestDecodersRefuseWhatTheRFCDoesNotAllow(t *testing.T) {
	attr := strings.ReplaceAll(strings.Join(goldenAttrWire, ""), " ", "")
	for _, tc := range []struct {
		name string
		v    xdr.Value
		wire []string
		want error // *ValueError or *xdr.Error, compared by type and what is set
	}{
		{"a handle of 65 bytes", new(FH), []string{"00000041", strings.Repeat("aa", 68)}, &xdr.Error{Kind: xdr.TooLong}},
		{"a handle whose length lies", new(FH), []string{"00000040", "aaaaaaaa"}, &xdr.Error{Kind: xdr.Short}},
		{"LOOKUP that finds an empty handle", new(LookupReply),
			[]string{"00000000", "00000000", "00000000", "00000000"}, &ValueError{Field: "file handle length"}},
		{"an object of type 0", new(GetattrReply), []string{"00000000", "00000000" + attr[8:]}, &ValueError{Field: "ftype3"}},
		{"an object of type 8", new(GetattrReply), []string{"00000000", "00000008" + attr[8:]}, &ValueError{Field: "ftype3", Value: 8}},
		{"attributes that follow 2 times", new(PostOpAttr), []string{"00000002", attr}, &xdr.Error{Kind: xdr.BadBool}},
		{"attributes that are cut", new(PostOpAttr), []string{"00000001", attr[:160]}, &xdr.Error{Kind: xdr.Short}},
		{"WRITE committed in a fourth way", new(WriteReply),
			[]string{"00000000", "00000000", "00000000", "00000001", "00000003", "0000000000000000"}, &ValueError{Field: "stable_how", Value: 3}},
		{"READ whose count is not the length of its data", new(ReadReply),
			[]string{"00000000", "00000000", "00000004", "00000000", "00000003 61626300"},
			&ValueError{Field: "count of READ, not the length of its data,", Value: 4}},
		{"READ of more data than the message holds", new(ReadReply),
			[]string{"00000000", "00000000", "00100000", "00000000", "00100000 61626300"}, &xdr.Error{Kind: xdr.Short}},
		{"READ of 4 GiB", new(ReadReply),
			[]string{"00000000", "00000000", "ffffffff", "00000000", "ffffffff 61626300"}, &xdr.Error{Kind: xdr.TooLong}},
		{"an entry with a name of 1025 bytes", new(Entry),
			[]string{"0000000000000001", "00000401", strings.Repeat("61", 1028), "0000000000000001"}, &xdr.Error{Kind: xdr.TooLong}},
		{"a symbolic link of 4097 bytes", new(ReadlinkReply),
			[]string{"00000000", "00000000", "00001001", strings.Repeat("61", 4100)}, &xdr.Error{Kind: xdr.TooLong}},
		{"a list of entries that does not end", new(ReaddirReply),
			[]string{"00000000", "00000000", "0000000000000000", "00000001"}, &xdr.Error{Kind: xdr.Short}},
		{"a time to be set in a fourth way", new(SetTime), []string{"00000003"}, &xdr.Error{Kind: xdr.BadUnion}},
		{"CREATE in a fourth way", new(CreateHow), []string{"00000003"}, &xdr.Error{Kind: xdr.BadUnion}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := xdr.NewDecoder(wire(t, tc.wire...))
			tc.v.XDR(c)
			switch want := tc.want.(type) {
			case *xdr.Error:
				var e *xdr.Error
				if !errors.As(c.Err(), &e) || e.Kind != want.Kind {
					t.Errorf("got %v, want kind %d", c.Err(), want.Kind)
				}
			case *ValueError:
				var e *ValueError
				if !errors.As(c.Err(), &e) || e.Field != want.Field || e.Value != want.Value {
					t.Errorf("got %v, want %v", c.Err(), want)
				}
			}
		})
	}
}

func TestAReadIntoSlicesCountsItsData(t *testing.T) {
	for count, want := range []string{"count of READ, not the length of its data,", "", "count of READ, not the length of its data,"} {
		c := xdr.NewDecoder(wire(t, "00000000", "00000000", fmt.Sprintf("%08x", count), "00000000", "00000001 61000000"))
		c.SetScatter(sinkOf(make([]byte, 4)), false, 0)
		new(ReadvReply).XDR(c)
		var e *ValueError
		if errors.As(c.Err(), &e); (c.Err() == nil) != (want == "") || e != nil && e.Field != want {
			t.Errorf("count %d: %v", count, c.Err())
		}
	}
}

func TestAnEmptyHandleThatFollowsCountsAsAbsent(t *testing.T) {
	var p PostOpFH
	if err := decode(wire(t, "00000001", "00000000"), &p); err != nil || p.Present {
		t.Fatalf("%+v, %v", p, err)
	}
}

func TestNanosecondsAreCutToOneSecond(t *testing.T) {
	msg := wire(t, "00000000", strings.Join(goldenAttrWire[:10], ""),
		"00000001 ffffffff", "00000002 3b9aca00", "00000003 3b9ac9ff")
	var r GetattrReply
	if err := decode(msg, &r); err != nil {
		t.Fatal(err)
	}
	if got, want := [3]Time{r.Attr.Atime, r.Attr.Mtime, r.Attr.Ctime}, ([3]Time{{1, maxNsec}, {2, maxNsec}, {3, maxNsec}}); got != want {
		t.Errorf("attributes: %v", got)
	}
	var tm Time
	if err := decode(wire(t, "00000005 ffffffff"), &tm); err != nil || tm != (Time{5, maxNsec}) {
		t.Errorf("time: %v, %v", tm, err)
	}
}

func TestAHandleIsComparableWhateverItHeldBefore(t *testing.T) {
	h := mustFH(t, strings.Repeat("x", 64))
	if err := decode(wire(t, "00000002 61620000"), &h); err != nil || h != mustFH(t, "ab") {
		t.Fatalf("%v, %v", h, err)
	}
	if _, err := MakeFH(make([]byte, 65)); err == nil {
		t.Error("MakeFH took 65 bytes")
	}
	if h.Len() != 2 || h.String() != "6162" || string(h.Bytes()) != "ab" {
		t.Error(h.Len(), h, h.Bytes())
	}
}

func TestEncodingANameThatIsTooLongIsNametoolong(t *testing.T) {
	for _, v := range []xdr.Value{
		&DirOpArgs{Name: strings.Repeat("n", MaxName+1)},
		&SymlinkArgs{Target: strings.Repeat("p", MaxPath+1)},
	} {
		c := xdr.NewEncoder(nil)
		v.XDR(c)
		if !errors.Is(c.Err(), ErrNametoolong) {
			t.Errorf("%T: %v", v, c.Err())
		}
	}
}

// A reply of n bytes must not make the decoder allocate more than its entries
// take: an entry is 28 bytes at least on the wire, and 240 in memory.
func TestADecoderAllocatesWhatTheMessageWarrants(t *testing.T) {
	msg := encode(t, &ReaddirplusReply{Entries: make([]EntryPlus, 1000)})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var r ReaddirplusReply
	if err := decode(msg, &r); err != nil || len(r.Entries) != 1000 {
		t.Fatal(err, len(r.Entries))
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 40*uint64(len(msg)) {
		t.Errorf("%d bytes allocated for a message of %d", got, len(msg))
	}
}

func TestPlaceReadFindsTheDataOrNothing(t *testing.T) {
	ok := encode(t, &ReadReply{Attr: PostOpAttr{true, goldenAttr}, Count: 5, Data: []byte("hello")})
	bare := encode(t, &ReadReply{Count: 5, Data: []byte("hello")})
	for _, tc := range []struct {
		name   string
		msg    []byte
		offset int
		length int
		ok     bool
	}{
		{"with attributes", ok, 104, 5, true},
		{"without attributes", bare, 20, 5, true},
		{"when the head ends with the length word", ok[:104], 104, 5, true},
		{"when the head is one byte short", ok[:103], 0, 0, false},
		{"of an error", encode(t, &ReadReply{Status: ErrIO}), 0, 0, false},
		{"when attributes follow 2 times", wire(t, "00000000 00000002", strings.Repeat("00", 100)), 0, 0, false},
		{"of more than MaxData", wire(t, "00000000 00000000 00000000 00000000 ffffffff"), 0, 0, false},
		{"of nothing", nil, 0, 0, false},
	} {
		offset, length, found := placeRead(tc.msg)
		if offset != tc.offset && tc.ok || length != tc.length || found != tc.ok {
			t.Errorf("%s: %d, %d, %v", tc.name, offset, length, found)
		}
		if found && len(tc.msg) >= offset+length && string(tc.msg[offset:offset+length]) != "hello" {
			t.Errorf("%s: %q", tc.name, tc.msg[offset:offset+length])
		}
	}
}

func TestTimesOutsideTheProtocolBecomeItsNearest(t *testing.T) {
	for _, tc := range []struct {
		in   time.Time
		want Time
	}{
		{time.Unix(-1, 5), Time{0, 0}},
		{time.Unix(0, 0), Time{0, 0}},
		{time.Unix(5, 6), Time{5, 6}},
		{time.Unix(math.MaxUint32, 7), Time{math.MaxUint32, 7}},
		{time.Unix(math.MaxUint32+1, 0), Time{math.MaxUint32, maxNsec}},
		{time.Time{}, Time{0, 0}},
	} {
		if got := TimeOf(tc.in); got != tc.want {
			t.Errorf("%v: %v, want %v", tc.in, got, tc.want)
		}
	}
	if tm := (Time{5, 6}).Time(); !tm.Equal(time.Unix(5, 6)) {
		t.Error(tm)
	}
}

// Truncating a valid message anywhere must give an error, never a panic and
// never success.
func TestEveryTruncationIsAnError(t *testing.T) {
	for _, m := range messages {
		v := m.new()
		fill(seeded(9), v)
		if s := reflect.ValueOf(v).Elem().FieldByName("Status"); s.IsValid() {
			s.SetUint(uint64(OK))
		}
		msg := encode(t, v)
		for n := range msg {
			if err := decode(msg[:n], m.new()); err == nil {
				t.Errorf("%s: %d of %d bytes were enough", m.name, n, len(msg))
			}
		}
	}
}
