# A fresh Debian 12 that systemd boots, for drills. Sourced by them; as root.

# Makes one in the folder $1. It downloads 60 MB.
fresh_debian() {
    local root="$1" mirror tool
    for tool in debootstrap systemd-nspawn; do
        command -v "$tool" >/dev/null || { echo "drill: $tool is missing: apt-get install debootstrap systemd-container" >&2; return 1; }
    done
    mirror="$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | sed -n 1p)"
    debootstrap --variant=minbase --include=systemd-sysv,dbus,adduser,libstdc++6,procps bookworm "$root" "$mirror" >"$root.log" \
        || { tail -n 20 "$root.log" >&2; return 1; }
}

# Boots the one in the folder $1, without a network. It runs its /drill.sh, and stops. True if that wrote "passed" to /result.
boot_and_drill() {
    local root="$1"
    chmod +x "$root/drill.sh"
    cat >"$root/etc/systemd/system/drill.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/drill.sh
StandardOutput=file:/drill.log
StandardError=file:/drill.log
ExecStopPost=/bin/systemctl poweroff --no-block
UNIT
    mkdir -p "$root/etc/systemd/system/default.target.wants"
    ln -s ../drill.service "$root/etc/systemd/system/default.target.wants/drill.service"
    timeout 300 systemd-nspawn --quiet --register=no --keep-unit --private-network --directory="$root" --boot \
        >"$root.boot.log" 2>&1 </dev/null || true
    [ "$(cat "$root/result" 2>/dev/null)" = passed ] || { tail -n 30 "$root.boot.log" "$root/drill.log" >&2; return 1; }
}
