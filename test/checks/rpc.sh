#!/bin/bash
# Wireshark judges a client's traffic:   rpc.sh CAPTURE [key=value…]
#
#   retransmissions=N|N%   how many calls may be sent twice: 0; over UDP give a share of all calls
#   reserved=yes           demand source ports below 1024, but for rpcbind
#
# CAPTURE is of "dumpcap -q -i lo -s 0 -w CAPTURE", of whole connections from the first call to the last reply. Wireshark is told to
# know an RPC message by its looks and not by ports: a reserved source port may be 993, and it would see TLS there.
# shellcheck source=test/checks/lib.sh
. "$(dirname "$0")/lib.sh"
[ $# -ge 1 ] || die "usage: rpc.sh CAPTURE [retransmissions=N|N%] [reserved=yes]"
capture=$1 retransmissions=0 reserved=no
shift
for option in "$@"; do
	case $option in
	retransmissions=* | reserved=*) printf -v "${option%%=*}" %s "${option#*=}" ;;
	*) die "unknown: $option" ;;
	esac
done
command -v tshark >/dev/null || die "tshark is missing: apt-get install tshark"
out=$(mktemp -d "${TMPDIR:-/tmp}/gonfs-check.XXXXXX")
trap 'rm -rf "$out"' EXIT

# One pass of fields for all checks; a frame may hold several RPC messages, hence lists with commas. XIDs are random: now and then
# one makes a datagram look like RTCP.
dissect=(tshark -2 -n -r "$capture" --disable-heuristic rtcp_udp -o rpc.desegment_rpc_over_tcp:TRUE -o rpc.defragment_rpc_over_tcp:TRUE
	-o tcp.desegment_tcp_streams:TRUE -o ip.defragment:TRUE -o tcp.try_heuristic_first:TRUE -o udp.try_heuristic_first:TRUE)
"${dissect[@]}" -T fields -E separator=/t -E occurrence=a -E aggregator=, \
	-e frame.number -e tcp.stream -e udp.stream -e tcp.srcport -e udp.srcport -e tcp.len -e tcp.reassembled_in \
	-e tcp.analysis.flags -e tcp.analysis.lost_segment -e tcp.flags.reset -e _ws.expert.severity -e _ws.malformed -e _ws.unreassembled \
	-e rpc.msgtyp -e rpc.xid -e rpc.program -e rpc.programversion -e rpc.procedure -e rpc.replystat -e rpc.state_accept \
	-e rpc.auth.gid -e rpc.auth.flavor -e tcp.segment_data -e udp.payload -e icmp.type -e icmpv6.type \
	>"$out/fields" 2>"$out/errors" || die "tshark: $(tail -1 "$out/errors")"

# The program prints "NAME<tab>COUNT<tab>FRAMES" for each property that must not be, and lines of other text.
cat >"$out/judge" <<'AWK'
function bad(name) { count[name]++; if (count[name] <= 3) frames[name] = frames[name] " " $1 }
BEGIN {
	FS = "\t"
	split("malformed or unreassembled messages|segments that the capture missed|expert errors|expert warnings in RPC messages|" \
	      "TCP data that is no RPC|UDP data that is no RPC|denied calls|accepted calls without SUCCESS|replies without a call|" \
	      "calls with more than 16 groups|calls of another program|NFS calls of another version|" \
	      "XIDs used again on a connection|XIDs of two calls at once|calls from ports above 1023|" \
	      "calls without a reply|calls sent twice", order, "|")
	split("100000 100003 100005 100011 100021 100024 100227", list, " ")
	for (i in list) known[list[i]] = 1
}
{
	link = $2 != "" ? "tcp" $2 : "udp" $3
	if ($12 != "" || $13 != "") bad("malformed or unreassembled messages")
	if ($9 != "") bad("segments that the capture missed")
	n = split($11, severity, ",")
	for (i = 1; i <= n; i++) {
		if (severity[i] + 0 == 8388608) bad("expert errors")
		if (severity[i] + 0 == 6291456 && $14 != "" && $8 == "" && $10 !~ /1|True/) bad("expert warnings in RPC messages")
	}
	if ($6 > 0 && $14 == "" && $7 == "" && $8 == "" && $23 != "") bad("TCP data that is no RPC")
	if ($14 == "") {
		if (link in talks && $24 != "" && $25 == "" && $26 == "") bad("UDP data that is no RPC")
		next
	}
	talks[link] = 1
	messages = split($14, type, ","); split($15, xid, ",")
	split($16, program, ","); split($17, version, ","); split($18, proc, ",")
	split($19, denied, ","); split($20, accept, ",")
	r = a = 0
	for (i = 1; i <= messages; i++) {
		id = link " " xid[i]; what = program[i] " " proc[i]
		if (type[i] == 0) {
			calls++
			if (id in open) {
				if (open[id] != what) bad("XIDs of two calls at once"); else bad("calls sent twice")
			} else if (id in done) {
				if (done[id] != what) bad("XIDs used again on a connection"); else bad("calls sent twice")
			} else {
				flight++; if (flight > most) most = flight
			}
			open[id] = what; at[id] = $1; perproc[what]++
			if (!(program[i] in known)) bad("calls of another program")
			if (program[i] == 100003 && version[i] != 3) bad("NFS calls of another version")
			if (program[i] != 100000 && reserved == "yes" && ($4 > 1023 || $5 > 1023)) bad("calls from ports above 1023")
		} else {
			replies++; r++
			if (denied[r] != 0) bad("denied calls"); else { a++; if (accept[a] != 0) bad("accepted calls without SUCCESS") }
			if (id in open) { done[id] = open[id]; delete open[id]; flight-- }
			else if (!(id in done)) bad("replies without a call")
		}
	}
	# One message a frame has one list of groups; the machine's own gid is the first.
	if (messages == 1 && type[1] == 0 && split($21, gids, ",") > 17) bad("calls with more than 16 groups")
}
END {
	for (id in open) { $1 = at[id]; bad("calls without a reply") }
	name = "calls sent twice"
	allowed = retransmissions ~ /%$/ ? int(calls * retransmissions / 100) : retransmissions + 0
	printf "     %d calls, %d replies, %d in flight at most\n", calls, replies, most
	line = "    "
	for (what in perproc) line = line " " label(what) "=" perproc[what]
	print line
	if (calls == 0) { print "FAIL the capture holds no RPC call"; failed = 1 }
	for (i = 1; i in order; i++) {
		limit = order[i] == name ? allowed : 0
		n = count[order[i]] + 0
		over = n > limit
		printf("%s %-40s %6d%s%s\n", over ? "FAIL" : "ok  ", order[i], n, limit ? " (at most " limit ")" : "",
			over ? ", frames" frames[order[i]] : "")
		if (over) failed = 1
	}
	exit failed
}
function label(what, part, names) {
	split(what, part, " ")
	if (part[1] != 100003) return part[1] "." part[2]
	split("NULL GETATTR SETATTR LOOKUP ACCESS READLINK READ WRITE CREATE MKDIR SYMLINK MKNOD REMOVE RMDIR RENAME LINK READDIR " \
	      "READDIRPLUS FSSTAT FSINFO PATHCONF COMMIT", names, " ")
	return names[part[2] + 1]
}
AWK
awk -v retransmissions="$retransmissions" -v reserved="$reserved" -f "$out/judge" "$out/fields" && exit
"${dissect[@]}" -Y '_ws.expert.severity >= 0x00600000 || _ws.malformed' 2>/dev/null | head -5 | sed 's/^/     | /'
exit 1
