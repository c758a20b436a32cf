"""An index by which a batch finds the payouts that wait for one, however many were paid before."""

from tortoise.migrations.migration import Migration as BaseMigration

from saas.base.db.ddl import Index


class Migration(BaseMigration):
    """An index of payouts."""

    dependencies = [("banyan", "0015_sandbox")]
    atomic = False  # the caller holds one transaction around the whole run
    operations = [Index("payout", "waiting", "(tenant_id, currency, id)", where="status = 'requested'")]
