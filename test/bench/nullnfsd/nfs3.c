#include "nfs3.h"

#include "tree.h"
#include "wire.h"

#define IO_MAX (1u << 20)
#define VERIFIER 0x676f6e66736e756cull

enum { NFS3_OK = 0, NOTSUPP = 10004 };

uint16_t nfs_port;

/* The arguments that are still to be read. short_ is set when there were too few bytes: then the call is garbage. */
struct args {
	const uint8_t *p, *end;
	int short_;
};

static const uint8_t *take(struct args *a, size_t n)
{
	static const uint8_t zeros[MAX_HEAD];
	const uint8_t *p = a->p;

	if (n > (size_t)(a->end - a->p)) {
		a->short_ = 1;
		return zeros;
	}
	a->p += n;
	return p;
}

static uint32_t take32(struct args *a) { return get32(take(a, 4)); }
static uint64_t take64(struct args *a) { return get64(take(a, 8)); }

/* Skips opaque data. */
static void take_opaque(struct args *a)
{
	uint32_t n = take32(a);

	if (n > MAX_HEAD)
		a->short_ = 1;
	else
		take(a, n + padding(n));
}

static struct fh take_fh(struct args *a)
{
	struct fh f = {0};

	if (take32(a) == FH_SIZE)
		memcpy(&f, take(a, FH_SIZE), FH_SIZE);
	else
		a->short_ = 1;
	return f;
}

static void take_name(struct args *a, char name[NAME_MAX_BYTES + 1])
{
	uint32_t n = take32(a);

	if (n > NAME_MAX_BYTES) {
		a->short_ = 1;
		n = 0;
	}
	memcpy(name, take(a, n + padding(n)), n);
	name[n] = 0;
}

static uint8_t *put_fh(uint8_t *p, struct fh f)
{
	p = put32(p, FH_SIZE);
	memcpy(p, &f, FH_SIZE);
	return p + FH_SIZE;
}

static uint8_t *put_time(uint8_t *p, uint64_t change) { return put32(put32(p, 1700000000 + change / 1000000000), change % 1000000000); }

static uint8_t *put_fattr(uint8_t *p, const struct attr *a)
{
	p = put32(p, a->dir ? 2 : 1);
	p = put32(p, a->dir ? 0777 : 0666);
	p = put32(p, a->dir ? 2 : 1);
	p = put64(p, 0); /* uid, gid */
	p = put64(p, a->size);
	p = put64(p, a->size);
	p = put64(p, 0);  /* rdev */
	p = put64(p, 77); /* fsid */
	p = put64(p, a->fileid);
	p = put_time(p, 0);
	p = put_time(p, a->change);
	return put_time(p, a->change);
}

static uint8_t *put_post(uint8_t *p, struct fh f)
{
	struct attr a;

	if (tree_attr(f, &a))
		return put32(p, 0);
	return put_fattr(put32(p, 1), &a);
}

/* A wcc_data: before is what tree_attr told before the change. */
static uint8_t *put_wcc(uint8_t *p, const struct attr *before, struct fh f)
{
	p = put32(p, 1);
	p = put64(p, before->size);
	p = put_time(p, before->change);
	p = put_time(p, before->change);
	return put_post(p, f);
}

static uint8_t *do_lookup(struct args *a, struct fh dir, uint8_t *p)
{
	char name[NAME_MAX_BYTES + 1];
	struct fh f;
	int status;

	take_name(a, name);
	status = tree_lookup(dir, name, &f);
	p = put32(p, status);
	if (status == NFS3_OK)
		p = put_post(put_fh(p, f), f);
	return put_post(p, dir);
}

/* Does what a sattr3 says of the size; the rest is not kept. */
static int set_size(struct args *a, struct fh f)
{
	for (int i = 0; i < 3; i++) /* mode, uid, gid */
		if (take32(a))
			take32(a);
	return take32(a) ? tree_setsize(f, take64(a), 0) : NFS3_OK;
}

static uint8_t *do_setattr(struct args *a, struct fh f, uint8_t *p)
{
	struct attr before;
	int status = tree_attr(f, &before);

	if (status == NFS3_OK)
		status = set_size(a, f);
	return put_wcc(put32(p, status), &before, f);
}

static uint8_t *do_read(struct args *a, struct fh f, uint8_t *p, size_t *payload, uint64_t *offset)
{
	struct attr at;
	int status = tree_attr(f, &at);
	uint32_t count;

	*offset = take64(a);
	count = take32(a);
	if (status != NFS3_OK)
		return put32(put32(p, status), 0);
	if (count > IO_MAX)
		count = IO_MAX;
	if (*offset >= at.size)
		count = 0;
	else if (count > at.size - *offset)
		count = at.size - *offset;
	*payload = count;
	p = put_fattr(put32(put32(p, NFS3_OK), 1), &at);
	p = put32(p, count);
	p = put32(p, *offset + count >= at.size);
	return put32(p, count);
}

static uint8_t *do_write(struct args *a, struct fh f, uint8_t *p)
{
	struct attr before;
	int status = tree_attr(f, &before);
	uint64_t offset = take64(a);
	uint32_t count = take32(a), stable = take32(a);

	if (status == NFS3_OK)
		status = tree_setsize(f, offset + count, 1);
	p = put_wcc(put32(p, status), &before, f);
	if (status != NFS3_OK)
		return p;
	return put64(put32(put32(p, count), stable), VERIFIER);
}

static uint8_t *do_make(struct args *a, struct fh dir, uint8_t *p, int isdir)
{
	char name[NAME_MAX_BYTES + 1];
	struct attr before;
	struct fh f;
	int status = tree_attr(dir, &before), exclusive;

	take_name(a, name);
	exclusive = isdir || take32(a); /* UNCHECKED is 0 */
	if (status == NFS3_OK)
		status = tree_make(dir, name, isdir, exclusive, &f);
	if (status == NFS3_OK && !exclusive)
		status = set_size(a, f);
	p = put32(p, status);
	if (status == NFS3_OK)
		p = put_post(put_fh(put32(p, 1), f), f);
	return put_wcc(p, &before, dir);
}

static uint8_t *do_remove(struct args *a, struct fh dir, uint8_t *p)
{
	char name[NAME_MAX_BYTES + 1];
	struct attr before;
	int status = tree_attr(dir, &before);

	take_name(a, name);
	if (status == NFS3_OK)
		status = tree_remove(dir, name);
	return put_wcc(put32(p, status), &before, dir);
}

static uint8_t *do_rename(struct args *a, struct fh from, uint8_t *p)
{
	char name[NAME_MAX_BYTES + 1], newname[NAME_MAX_BYTES + 1];
	struct attr before, to_before = {0};
	struct fh to;
	int status = tree_attr(from, &before);

	take_name(a, name);
	to = take_fh(a);
	take_name(a, newname);
	if (status == NFS3_OK)
		status = tree_attr(to, &to_before);
	if (status == NFS3_OK)
		status = tree_rename(from, name, to, newname);
	return put_wcc(put_wcc(put32(p, status), &before, from), &to_before, to);
}

static uint8_t *do_readdir(struct args *a, struct fh dir, uint8_t *p, int plus)
{
	/* the word before it, fileid, length of the name, cookie, and for plus attributes and handle */
	const uint32_t entry = 4 + 8 + 4 + 8 + (plus ? 4 + 84 + 4 + 4 + FH_SIZE : 0);
	uint64_t next = take64(a);
	char name[NAME_MAX_BYTES + 1];
	uint8_t *limit;
	struct fh f;
	uint32_t max;
	int n;

	take64(a); /* verifier */
	if (plus)
		take32(a); /* dircount */
	max = take32(a);
	limit = p + (max < IO_MAX ? max : IO_MAX) - 8;
	p = put64(put_post(put32(p, NFS3_OK), dir), 0);
	while ((n = tree_next(dir, &next, &f, name)) > 0 && p + entry + n + padding(n) <= limit) {
		struct attr at;

		tree_attr(f, &at);
		p = put64(put32(p, 1), at.fileid);
		p = put32(p, n);
		memset(p + n, 0, padding(n));
		memcpy(p, name, n);
		p = put64(p + n + padding(n), next);
		if (plus)
			p = put_fh(put32(put_fattr(put32(p, 1), &at), 1), f);
	}
	return put32(put32(p, 0), n == 0);
}

static uint8_t *do_fsstat(struct fh f, uint8_t *p)
{
	p = put_post(put32(p, NFS3_OK), f);
	for (int i = 0; i < 6; i++)
		p = put64(p, 1ull << 40);
	return put32(p, 0);
}

static uint8_t *do_fsinfo(struct fh f, uint8_t *p)
{
	p = put_post(put32(p, NFS3_OK), f);
	for (int i = 0; i < 2; i++) /* READ, WRITE: maximum, preferred, multiple */
		p = put32(put32(put32(p, IO_MAX), IO_MAX), 4096);
	p = put64(put32(p, IO_MAX), 1ull << 60); /* READDIR, largest file */
	return put32(put32(put32(p, 0), 1), 0x1b);
}

static uint8_t *do_pathconf(struct fh f, uint8_t *p)
{
	p = put_post(put32(p, NFS3_OK), f);
	p = put32(put32(p, 1), NAME_MAX_BYTES);
	return put32(put32(put32(put32(p, 1), 1), 0), 1);
}

static uint8_t *nfs(uint32_t proc, struct args *a, uint8_t *p, size_t *payload, uint64_t *offset)
{
	struct attr before;
	struct fh f;
	uint32_t mask;
	int status;

	if (proc == 0)
		return p;
	f = take_fh(a);
	switch (proc) {
	case 1: /* GETATTR */
		status = tree_attr(f, &before);
		p = put32(p, status);
		return status == NFS3_OK ? put_fattr(p, &before) : p;
	case 2: return do_setattr(a, f, p);
	case 3: return do_lookup(a, f, p);
	case 4: /* ACCESS */
		mask = take32(a);
		return put32(put_post(put32(p, NFS3_OK), f), mask);
	case 6: return do_read(a, f, p, payload, offset);
	case 7: return do_write(a, f, p);
	case 8: return do_make(a, f, p, 0);
	case 9: return do_make(a, f, p, 1);
	case 12: case 13: return do_remove(a, f, p);
	case 14: return do_rename(a, f, p);
	case 16: return do_readdir(a, f, p, 0);
	case 17: return do_readdir(a, f, p, 1);
	case 18: return do_fsstat(f, p);
	case 19: return do_fsinfo(f, p);
	case 20: return do_pathconf(f, p);
	case 21: /* COMMIT */
		status = tree_attr(f, &before);
		p = put_wcc(put32(p, status), &before, f);
		return status == NFS3_OK ? put64(p, VERIFIER) : p;
	}
	return put32(put32(put32(p, NOTSUPP), 0), 0); /* READLINK, SYMLINK, MKNOD, LINK: there are none */
}

static uint8_t *mount(uint32_t proc, struct args *a, uint8_t *p)
{
	char path[NAME_MAX_BYTES + 1];

	switch (proc) {
	case 1: /* MNT: "/" is all that is exported, and clients find that out by MNT3ERR_NOENT */
		take_name(a, path);
		if (strcmp(path, "/"))
			return put32(p, 2);
		p = put_fh(put32(p, NFS3_OK), (struct fh){KIND_ROOT, 0, 0});
		return put32(put32(p, 1), 1); /* AUTH_SYS */
	case 2: /* DUMP */
		return put32(p, 0);
	case 5: /* EXPORT: "/" for everybody */
		return put32(put32(put32(put32(put32(p, 1), 1), 0x2f000000), 0), 0);
	}
	return p;
}

/* Answers a call: the head of a reply (RFC 5531), then the results. */
uint8_t *rpc_answer(const uint8_t *head, const uint8_t *end, uint8_t *out, size_t *payload, uint64_t *offset)
{
	struct args a = {head, end, 0};
	uint32_t xid = take32(&a), prog, vers, proc;
	uint8_t *results, *p;

	if (take32(&a) != 0 || take32(&a) != 2) /* CALL, RPC version 2 */
		return NULL;
	prog = take32(&a);
	vers = take32(&a);
	proc = take32(&a);
	for (int i = 0; i < 2; i++) { /* credential, verifier */
		take32(&a);
		take_opaque(&a);
	}
	p = put32(put32(put32(out, xid), 1), 0); /* REPLY, accepted */
	results = put32(put64(p, 0), 0);         /* AUTH_NONE, SUCCESS */
	if (prog == 100003 && vers == 3)
		p = nfs(proc, &a, results, payload, offset);
	else if (prog == 100005 && vers == 3)
		p = mount(proc, &a, results);
	else if (prog == 100000 && vers == 2)
		p = proc == 3 ? put32(results, nfs_port) : results;
	else if (prog == 100003 || prog == 100005 || prog == 100000) /* PROG_MISMATCH */
		return put32(put32(put32(results - 4, 2), prog == 100000 ? 2 : 3), prog == 100000 ? 2 : 3);
	else
		return put32(results - 4, 1); /* PROG_UNAVAIL */
	if (a.short_) {
		*payload = 0;
		return put32(results - 4, 4); /* GARBAGE_ARGS */
	}
	return p;
}
