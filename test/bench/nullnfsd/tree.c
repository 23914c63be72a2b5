#include "tree.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NFS3_OK = 0, NOENT = 2, EXIST = 17, NOTDIR = 20, NOSPC = 28, STALE = 70 };

#define BUCKETS (1u << 16)
#define CHUNK 4096u  /* objects that are allocated at a time; they never move, so that attributes are read without the lock */
#define CHUNKS 4096u

#define ENTRY_NAME 8     /* bytes of the name of an entry of dirN */
#define ENTRY_SIZE 4096u /* of the file that it is */

/* What a client made. All but the atomics is guarded by mu. */
struct made {
	char name[64];
	uint64_t parent; /* key of its directory */
	int isdir;
	uint32_t next; /* in its bucket, or in the list of free places; 0 ends both */
	_Atomic uint64_t generation; /* odd while it lives */
	_Atomic uint64_t size, change;
};

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER; /* guards names: buckets, chunks, unused, used */
static uint32_t buckets[BUCKETS];
static struct made *_Atomic chunks[CHUNKS];
static uint32_t unused, used = 1;
static _Atomic uint64_t root_change;

static struct made *at(uint32_t i) { return &chunks[i / CHUNK][i % CHUNK]; }

/* Returns the object of f, NULL if it is gone or was never there. */
static struct made *find_made(struct fh f)
{
	struct made *m;

	if (f.kind != KIND_MADE || f.index == 0 || f.index / CHUNK >= CHUNKS || !chunks[f.index / CHUNK])
		return NULL;
	m = at(f.index);
	return m->generation == f.value ? m : NULL;
}

static uint64_t key(struct fh dir) { return (uint64_t)dir.kind << 32 | dir.index; }

static uint32_t *bucket(uint64_t parent, const char *name)
{
	uint64_t h = parent * 0x9e3779b97f4a7c15ull;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 0x100000001b3ull;
	return &buckets[h >> 40 & (BUCKETS - 1)];
}

/* Returns the link to the object of that name; the link holds 0 if there is none. Called with mu held. */
static uint32_t *find_locked(uint64_t parent, const char *name)
{
	uint32_t *p = bucket(parent, name);

	while (*p && (at(*p)->parent != parent || strcmp(at(*p)->name, name)))
		p = &at(*p)->next;
	return p;
}

static int add_locked(uint64_t parent, const char *name, int isdir, uint32_t *index)
{
	uint32_t i = unused, *b = bucket(parent, name);
	struct made *m;

	if (i) {
		unused = at(i)->next;
	} else {
		if (used / CHUNK >= CHUNKS)
			return NOSPC;
		i = used++;
		if (!chunks[i / CHUNK] && !(chunks[i / CHUNK] = calloc(CHUNK, sizeof(struct made))))
			abort();
	}
	m = at(i);
	snprintf(m->name, sizeof m->name, "%s", name);
	m->parent = parent;
	m->isdir = isdir;
	m->size = m->change = 0;
	m->generation++;
	m->next = *b;
	*b = i;
	*index = i;
	return NFS3_OK;
}

static void remove_locked(uint32_t *link)
{
	uint32_t i = *link;

	*link = at(i)->next;
	at(i)->generation++;
	at(i)->next = unused;
	unused = i;
}

static void changed(struct fh dir)
{
	struct made *m = find_made(dir);

	if (m)
		m->change++;
	else if (dir.kind == KIND_ROOT)
		root_change++;
}

static struct fh entry(uint64_t i) { return (struct fh){KIND_FILE, i, ENTRY_SIZE}; }

void tree_init(void)
{
	chunks[0] = calloc(CHUNK, sizeof(struct made));
	if (!chunks[0])
		abort();
}

int tree_attr(struct fh f, struct attr *a)
{
	struct made *m;

	*a = (struct attr){.dir = f.kind != KIND_FILE, .size = 4096, .fileid = 2};
	switch (f.kind) {
	case KIND_ROOT:
		a->change = root_change;
		return NFS3_OK;
	case KIND_DIR:
		a->fileid = 1ull << 40 | f.index;
		return NFS3_OK;
	case KIND_FILE:
		a->size = f.value;
		a->fileid = 2ull << 40 | f.value >> 20 << 32 | f.index;
		return NFS3_OK;
	}
	if (!(m = find_made(f)))
		return STALE;
	a->dir = m->isdir;
	a->size = m->isdir ? 4096 : m->size;
	a->fileid = 4ull << 40 | f.index;
	a->change = m->change;
	return NFS3_OK;
}

int tree_lookup(struct fh dir, const char *name, struct fh *f)
{
	unsigned long n;
	uint32_t i;
	char rest;

	if (dir.kind == KIND_FILE)
		return NOTDIR;
	if (!strcmp(name, ".") || !strcmp(name, "..")) {
		*f = *name && name[1] ? (struct fh){KIND_ROOT, 0, 0} : dir;
		return NFS3_OK;
	}
	if (sscanf(name, "e%lu%c", &n, &rest) == 1) {
		*f = entry(n);
		return NFS3_OK;
	}
	if (sscanf(name, "big%lu%c", &n, &rest) == 1) {
		*f = (struct fh){KIND_FILE, 0, (uint64_t)n << 20};
		return NFS3_OK;
	}
	if (dir.kind == KIND_ROOT && sscanf(name, "dir%lu%c", &n, &rest) == 1) {
		*f = (struct fh){KIND_DIR, n, 0};
		return NFS3_OK;
	}
	pthread_mutex_lock(&mu);
	i = *find_locked(key(dir), name);
	if (i)
		*f = (struct fh){KIND_MADE, i, at(i)->generation};
	pthread_mutex_unlock(&mu);
	return i ? NFS3_OK : NOENT;
}

int tree_make(struct fh dir, const char *name, int isdir, int exclusive, struct fh *f)
{
	int status = tree_lookup(dir, name, f);
	uint32_t i;

	if (status != NOENT)
		return status == NFS3_OK && exclusive ? EXIST : status;
	if (strlen(name) >= sizeof(((struct made *)0)->name))
		return NOSPC;
	pthread_mutex_lock(&mu);
	i = *find_locked(key(dir), name);
	status = i ? (exclusive ? EXIST : NFS3_OK) : add_locked(key(dir), name, isdir, &i);
	if (status == NFS3_OK)
		*f = (struct fh){KIND_MADE, i, at(i)->generation};
	pthread_mutex_unlock(&mu);
	changed(dir);
	return status;
}

int tree_remove(struct fh dir, const char *name)
{
	int status = NOENT;
	uint32_t *link;

	pthread_mutex_lock(&mu);
	link = find_locked(key(dir), name);
	if (*link) {
		remove_locked(link);
		status = NFS3_OK;
	}
	pthread_mutex_unlock(&mu);
	changed(dir);
	return status;
}

int tree_rename(struct fh from, const char *name, struct fh to, const char *newname)
{
	uint32_t *link, i;
	struct made *m;

	if (strlen(newname) >= sizeof m->name)
		return NOSPC;
	pthread_mutex_lock(&mu);
	link = find_locked(key(from), name);
	i = *link;
	if (i) {
		m = at(i);
		*link = m->next;
		link = find_locked(key(to), newname);
		if (*link)
			remove_locked(link);
		snprintf(m->name, sizeof m->name, "%s", newname);
		m->parent = key(to);
		link = bucket(key(to), newname);
		m->next = *link;
		*link = i;
		m->change++;
	}
	pthread_mutex_unlock(&mu);
	changed(from);
	changed(to);
	return i ? NFS3_OK : NOENT;
}

int tree_setsize(struct fh f, uint64_t size, int grow_only)
{
	struct made *m = find_made(f);

	if (!m)
		return f.kind == KIND_FILE ? NFS3_OK : STALE;
	if (!grow_only || m->size < size)
		m->size = size;
	m->change++;
	return NFS3_OK;
}

/* tree_next in what clients made: cookies are places in the table. */
static int next_made(uint64_t parent, uint64_t *cookie, struct fh *f, char *name)
{
	int length = 0;

	pthread_mutex_lock(&mu);
	for (uint64_t i = *cookie + 1; i < used && !length; i++) {
		struct made *m = at(i);

		if (m->parent != parent || !(m->generation & 1))
			continue;
		*f = (struct fh){KIND_MADE, i, m->generation};
		*cookie = i;
		length = snprintf(name, NAME_MAX_BYTES, "%s", m->name);
	}
	pthread_mutex_unlock(&mu);
	return length;
}

int tree_next(struct fh dir, uint64_t *cookie, struct fh *f, char name[NAME_MAX_BYTES + 1])
{
	uint64_t i = *cookie;

	if (dir.kind != KIND_DIR)
		return next_made(key(dir), cookie, f, name);
	if (i >= dir.index)
		return 0;
	*f = entry(i);
	*cookie = i + 1;
	name[0] = 'e';
	for (int k = ENTRY_NAME - 1; k > 0; k--) { /* snprintf would be half of what a listing costs */
		name[k] = '0' + i % 10;
		i /= 10;
	}
	return ENTRY_NAME;
}
