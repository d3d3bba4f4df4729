//! What the operating system knows of this process, under the names that every client library of
//! Prometheus uses: <https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

#[cfg(target_os = "linux")]
use super::families::Families;

/// The process at one moment.
#[derive(Debug)]
pub(super) struct Process;

impl Collector for Process {
    #[cfg(target_os = "linux")]
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        use procfs::process::{LimitValue, Process};
        use procfs::{boot_time_secs, page_size, ticks_per_second};

        let mut families = Families(encoder);
        // Without /proc, as in some containers, there are no figures.
        let Ok(this) = Process::myself() else { return Ok(()) };
        if let Ok(stat) = this.stat() {
            let seconds = |ticks: u64| whole(ticks) / whole(ticks_per_second().max(1));
            families.fraction_counter(
                "process_cpu_seconds",
                "Time of processors that this process has used.",
                seconds(stat.utime + stat.stime),
            )?;
            families.level(
                "process_resident_memory_bytes",
                "Memory that it holds.",
                Some(whole(stat.rss * page_size())),
            )?;
            families.level(
                "process_virtual_memory_bytes",
                "Addresses that it has reserved.",
                Some(whole(stat.vsize)),
            )?;
            families.level(
                "process_threads",
                "Its threads.",
                u32::try_from(stat.num_threads).ok().map(f64::from),
            )?;
            families.level(
                "process_start_time_seconds",
                "When it started.",
                boot_time_secs().ok().map(|boot| whole(boot) + seconds(stat.starttime)),
            )?;
        }
        let open = this.fd_count().ok().and_then(|count| u64::try_from(count).ok());
        families.level("process_open_fds", "Descriptors that it has open.", open.map(whole))?;
        let limit = this.limits().ok().and_then(|limits| match limits.max_open_files.soft_limit {
            LimitValue::Value(most) => Some(whole(most)),
            LimitValue::Unlimited => None,
        });
        families.level("process_max_fds", "Descriptors that it may have open.", limit)
    }

    #[cfg(not(target_os = "linux"))]
    fn encode(&self, _: DescriptorEncoder<'_>) -> fmt::Result {
        Ok(())
    }
}

#[cfg(target_os = "linux")]
#[expect(clippy::cast_precision_loss, reason = "Prometheus has no other numbers")]
const fn whole(number: u64) -> f64 {
    number as f64
}
