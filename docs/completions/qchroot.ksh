# ksh completion for qchroot: source it from ~/.kshrc
set -A complete_qchroot_1 -- install create list status config start stop restart console exec ps delete export import release upgrade rollback check resize snapshot clone rename plugin doctor version
set -A complete_qchroot -- --across-major --all --any-release --boot --command --dry-run --force --help --isolation --json --list --permission --quiet --release --remove --repair --root --size --snapshot --source --source-tree --storage --timeout --trace-files --verbose --version --wait
