package nfstest

import "errors"

func newDirStore(o *Options) (store, error) { return nil, errors.New("nfstest: Options.Dir cannot be served in this build") }
