#!/bin/bash
# git works in DIR:   git.sh DIR [FILES]
#
# git init, FILES (1000) files of 0 to 32 KiB committed, fsck --strict, status clean, a second commit, a clone compared.
# git is a stern guest: lock files by O_EXCL, hard links or renames of objects, mmap of packs, stat data kept in its index.
# shellcheck source=test/checks/lib.sh
. "$(dirname "$0")/lib.sh"
[ $# -ge 1 ] || die "usage: git.sh DIR [FILES]"
files=${2:-1000}
scratch "$1"
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null HOME=$logs
export GIT_AUTHOR_NAME=gonfs GIT_AUTHOR_EMAIL=gonfs@example.com GIT_COMMITTER_NAME=gonfs GIT_COMMITTER_EMAIL=gonfs@example.com

# populate N: N files in directories of 50, each different; every seventh is empty, every twentieth a link.
populate() {
	local i dir
	for ((i = 0; i < $1; i++)); do
		dir=d$((i / 50))
		[ -d "$dir" ] || mkdir "$dir" || return
		if ((i % 20 == 19)); then
			ln -s "f$((i - 1))" "$dir/f$i" || return
		elif ((i % 7 == 6)); then
			: >"$dir/f$i" || return
		else
			printf '%0*d\n%d\n' $((i * 7919 % 32768)) $i $i >"$dir/f$i" || return
		fi
	done
}
clean() { [ -z "$(git status --porcelain)" ]; }
amend() {
	local f
	for f in d*/f?1; do echo more >>"$f" || return; done
	git mv d0 e0 && git commit -q -a -m second
}
export -f populate clean amend

step init 30 git -c init.defaultBranch=main init "$work/r"
cd "$work/r" || exit
step "write $files files" 120 bash -c "populate $files"
step add 120 git add -A
step commit 120 git commit -q -m first
[ "$(git ls-files | wc -l)" = "$files" ] || die "$(git ls-files | wc -l) files committed, want $files"
step "fsck --strict" 120 git fsck --strict --full --no-dangling
step "status is clean" 60 bash -c clean
step "change and commit" 60 bash -c amend
step "gc" 120 git gc -q --prune=now
step "fsck of the pack" 120 git fsck --strict --full
step "clone" 120 git clone -q --no-hardlinks "$work/r" "$work/c"
step "clone is equal" 60 diff -r --no-dereference --exclude=.git "$work/r" "$work/c"
cd /
step "remove it all" 60 rm -r "$work"
[ ! -e "$work" ] || die "rm -r left $work"
