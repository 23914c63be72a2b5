/* What is served. Most of it is not there but in names:
 *
 *	bigN    a file of N MiB
 *	dirN    a directory of the N entries e0000000, e0000001, …
 *	eN      a file of 4 KiB, in any directory
 *
 * in the root and, but for dirN, in all directories. What clients make is kept in a table: names and sizes, no data. */
#ifndef TREE_H
#define TREE_H

#include <stdint.h>

#define NAME_MAX_BYTES 255
#define FH_SIZE 16

enum kind { KIND_ROOT = 1, KIND_DIR, KIND_FILE, KIND_MADE };

/* A file handle, as it is on the wire. value is the size of KIND_FILE, and of KIND_MADE the generation of its place in the table. */
struct fh {
	uint32_t kind, index;
	uint64_t value;
};

/* Attributes that differ between objects. change counts changes, and is what the times show: every change moves them. */
struct attr {
	int dir;
	uint64_t size, fileid, change;
};

void tree_init(void);

/* All return 0, or an nfsstat3. */
int tree_attr(struct fh f, struct attr *a);
int tree_lookup(struct fh dir, const char *name, struct fh *f);
int tree_make(struct fh dir, const char *name, int isdir, int exclusive, struct fh *f);
int tree_remove(struct fh dir, const char *name);
int tree_rename(struct fh from, const char *name, struct fh to, const char *newname);
int tree_setsize(struct fh f, uint64_t size, int grow_only);

/* Finds the entry of dir behind *cookie, and moves *cookie behind it. Returns the length of its name, 0 at the end. What is in
 * every directory (bigN, eN) is not listed there. */
int tree_next(struct fh dir, uint64_t *cookie, struct fh *f, char name[NAME_MAX_BYTES + 1]);

#endif
