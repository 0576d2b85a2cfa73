//! What a plan or a stack costs: monthly estimates with their lines, and the budget they are held against.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// US dollars, kept in cents; a JSON number with two decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = f64, example = 117.42))]
pub struct Usd(pub i64);

impl Usd {
    /// From dollars, rounded to the cent.
    #[must_use]
    pub fn from_dollars(dollars: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "amounts are far below 2^53 cents and saturate"
        )]
        Self((dollars * 100.0).round() as i64)
    }

    /// The amount where some parts may have no known price: `$115.11`, or `$115.11 + unknown`.
    #[must_use]
    pub fn with_unknown(self, unpriced: u32) -> String {
        if unpriced == 0 {
            self.to_string()
        } else {
            format!("{self} + unknown")
        }
    }

    /// As dollars.
    #[must_use]
    pub fn dollars(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "exact below 2^53 cents")]
        let cents = self.0 as f64;
        cents / 100.0
    }
}

impl std::ops::Add for Usd {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl std::ops::Sub for Usd {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl std::iter::Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self(0), std::ops::Add::add)
    }
}

impl std::fmt::Display for Usd {
    /// `$1,092.00`, `−$204.10`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (sign, cents) = if self.0 < 0 {
            ("−", self.0.unsigned_abs())
        } else {
            ("", self.0.unsigned_abs())
        };
        let whole = (cents / 100).to_string();
        let mut grouped = String::new();
        for (i, digit) in whole.chars().enumerate() {
            if i > 0 && (whole.len() - i) % 3 == 0 {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        write!(f, "{sign}${grouped}.{:02}", cents % 100)
    }
}

impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.dollars())
    }
}

impl<'de> Deserialize<'de> for Usd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer).map(Self::from_dollars)
    }
}

/// A monthly estimate (730 hours) with the lines that make it up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CostEstimate {
    /// The most it can cost: sum of the lines, with every node that the autoscaler and an upgrade may add. Rules, budgets and sums use this number.
    /// Parts in `unpriced` come on top.
    pub monthly: Usd,
    /// The least it costs, with the fewest nodes; absent where that is `monthly`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub monthly_least: Option<Usd>,
    /// The most that the stack as it is can cost, at the prices of today; absent for a new stack.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub monthly_before: Option<Usd>,
    /// How many parts of the stack as it is have no known price: `monthly_before` leaves them out.
    #[serde(default)]
    pub before_unpriced: u32,
    /// The parts, dearest first.
    pub lines: Vec<CostLine>,
    /// Parts for which no price is known, by name. If there is one, the estimate is not complete: the sum leaves it out or counts less than it costs.
    pub unpriced: Vec<String>,
    /// The budget it is held against; absent when the project has none for this tier.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub budget: Option<BudgetLine>,
}

impl CostEstimate {
    /// How many parts have no known price.
    #[must_use]
    pub fn unpriced_parts(&self) -> u32 {
        u32::try_from(self.unpriced.len()).unwrap_or(u32::MAX)
    }

    /// How much more (or less) it can cost than the stack as it is, of what has a price.
    #[must_use]
    pub fn change(&self) -> Usd {
        self.monthly - self.monthly_before.unwrap_or_default()
    }

    /// `$115.11`, `from $108.77 up to $435.08`, each with `+ unknown` where a price is missing.
    #[must_use]
    pub fn span(&self) -> String {
        let most = self.monthly.with_unknown(self.unpriced_parts());
        match self.monthly_least {
            Some(least) => format!("from {least} up to {most}"),
            None => most,
        }
    }
}

/// One priced part of an estimate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CostLine {
    /// What it is, such as `VM Standard_D2ds_v6, 730 h`.
    pub label: String,
    /// The resource it belongs to.
    pub resource: String,
    /// How many units a month.
    pub quantity: f64,
    /// The unit, such as `hour` or `month`.
    pub unit: String,
    /// US dollars per unit.
    pub unit_price: f64,
    /// US dollars a month.
    pub monthly: Usd,
    /// True where the price has no public source: shown as *sample price*.
    pub sample: bool,
}

/// A project's monthly budget for one tier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BudgetLine {
    /// Allowed a month.
    pub limit: Usd,
    /// The most that stacks and approved requests of the tier can cost a month.
    pub committed: Usd,
    /// How many parts of these stacks and requests have no known price: they come on top of `committed`.
    #[serde(default)]
    pub unpriced: u32,
    /// What is committed once the plan is carried out; absent where there is no plan.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<Usd>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_read_like_dollars() {
        assert_eq!(Usd(109_200).to_string(), "$1,092.00");
        assert_eq!(Usd(-20_410).to_string(), "−$204.10");
        assert_eq!(Usd(123_456_789).to_string(), "$1,234,567.89");
        assert_eq!(Usd::from_dollars(91.25), Usd(9_125));
        assert_eq!(serde_json::to_string(&Usd(11_742)).unwrap(), "117.42");
        assert_eq!(Usd(11_742).with_unknown(0), "$117.42");
        assert_eq!(Usd(11_742).with_unknown(2), "$117.42 + unknown");
    }
}
