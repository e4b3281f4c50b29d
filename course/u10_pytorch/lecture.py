# %% [markdown]
# # Fold it away
