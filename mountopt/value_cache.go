package mountopt

// setLookupCache takes the values of nfs(5); pos is short for positive.
func setLookupCache(p *parser, it item) error {
	switch it.value {
	case "all":
		p.o.LookupCache = Some(LookupAll)
	case "pos", "positive":
		p.o.LookupCache = Some(LookupPositive)
	case "none":
		p.o.LookupCache = Some(LookupNone)
	default:
		return badValue(it.name, it.value, "all, positive (pos) or none")
	}
	return nil
}

// setRdirplus takes the plain word and rdirplus=force, which are the same here
// (directories are read with READDIRPLUS unless the server lacks it), and
// rdirplus=none, which is nordirplus.
func setRdirplus(p *parser, it item) error {
	if it.hasValue && it.value != "none" && it.value != "force" {
		return badValue(it.name, it.value, "none or force")
	}
	p.o.NoRdirplus = Some(it.hasValue && it.value == "none")
	return nil
}

// setWrite takes when write-behind begins (fs/nfs/fs_context.c).
func setWrite(p *parser, it item) error {
	for _, w := range []Write{WriteLazy, WriteEager, WriteWait} {
		if it.value == w.String() {
			p.o.Write = Some(w)
			return nil
		}
	}
	return badValue(it.name, it.value, "lazy, eager or wait")
}

// setReplay takes what an EEXIST or ENOENT after a retransmission means.
func setReplay(p *parser, it item) error {
	switch it.value {
	case "strict", "evidence":
		p.o.StrictReplay = Some(it.value == "strict")
		return nil
	}
	return badValue(it.name, it.value, "evidence or strict")
}
